// One figure: the specification that the page carries becomes options of the chart library.
const Charts = (() => {
  const SYMBOLS = { circle: 'circle', square: 'rect', diamond: 'diamond', triangle: 'triangle' };
  const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
  const RICH = {
    sub: { fontSize: 9.5, verticalAlign: 'bottom', padding: [0, 0, -2, 0] },
    sup: { fontSize: 9.5, verticalAlign: 'top', padding: [-2, 0, 0, 0] },
  };
  const escape = text => echarts.format.encodeHTML(text);

  function theme(dark) {
    return dark
      ? { text: '#e6e7ea', soft: '#9aa1ad', line: '#3a3f48', grid: '#282c33', card: '#1b1e24', dark }
      : { text: '#1d2026', soft: '#4c525c', line: '#9aa0a8', grid: '#ececea', card: '#ffffff', dark };
  }

  // The same marks as in the page's text: τ_mem and n^0.97.
  const rich = text => text.replace(/(τ|f)_(gen|mem)/g, '$1{sub|$2}').replace(/\^(−?[0-9.]+)/g, '{sup|$1}');
  const colour = (ink, look) => look.dark ? ink.dark : ink.light;

  function axis(spec, log, range, ticks, look, name) {
    const label = Axes.tickLabel(spec, log);
    return {
      type: log ? 'log' : 'value', name: rich(spec.label), nameLocation: 'middle', nameGap: name.gap,
      min: range[0], max: range[1],
      nameTextStyle: { color: look.text, fontSize: 13, rich: RICH },
      axisLine: { show: true, onZero: false, lineStyle: { color: look.line } },
      axisTick: { show: true, customValues: ticks, lineStyle: { color: look.line } },
      axisLabel: { color: look.soft, fontSize: 12, customValues: ticks, formatter: label, hideOverlap: true },
      splitLine: { show: true, lineStyle: { color: look.grid } },
      minorTick: { show: false }, minorSplitLine: { show: false },
    };
  }

  // Only what an axis can show: a zero has no place on a log axis and leaves a gap.
  function drawable(points, logX, logY) {
    return points.filter(p => p[0] !== null && (!logX || p[0] > 0))
      .map(p => p[1] === null || (logY && p[1] <= 0) ? [p[0], null] : p);
  }

  function band(series, points, look, floor) {
    const bounded = points.filter(p => p.length === 4);
    if (bounded.length < 2) return null;
    const ends = bounded.map(p => [p[0], p[3]]).concat(bounded.map(p => [p[0], Math.max(p[2], floor)]).reverse());
    return {
      type: 'custom', name: series.name, silent: true, z: 1, clip: true, tooltip: { show: false },
      data: [[bounded[0][0], bounded[0][1]]],
      renderItem: (_, api) => ({
        type: 'polygon', shape: { points: ends.map(e => api.coord(e)) },
        style: { fill: colour(series.ink, look), opacity: look.dark ? 0.2 : 0.13 },
      }),
    };
  }

  // An end that is null lies beyond the axis.
  function bars(series, points, look, range) {
    const bounded = points.filter(p => p.length === 4);
    if (bounded.length === 0) return null;
    return {
      type: 'custom', name: series.name, silent: true, z: 2, clip: true, tooltip: { show: false },
      data: bounded.map(p => [p[0], p[1], Math.max(p[2] ?? range[0], range[0]), Math.min(p[3] ?? range[1], range[1])]),
      renderItem: (_, api) => {
        const low = api.coord([api.value(0), api.value(2)]);
        const high = api.coord([api.value(0), api.value(3)]);
        const style = { stroke: colour(series.ink, look), lineWidth: 1.4 };
        const line = (x1, y1, x2, y2) => ({ type: 'line', shape: { x1, y1, x2, y2 }, style });
        return { type: 'group', children: [line(low[0], low[1], high[0], high[1]),
          line(low[0] - 4, low[1], low[0] + 4, low[1]), line(high[0] - 4, high[1], high[0] + 4, high[1])] };
      },
    };
  }

  function main(series, points, look) {
    const role = series.role;
    const lined = role === 'curve' || role === 'companion' || role === 'fit';
    const marked = role === 'curve' || role === 'points' || role.endsWith('bounds');
    const shade = colour(series.ink, look);
    const hollow = role.endsWith('bounds');
    const width = role === 'companion' ? 1.1 : role === 'fit' ? 1.8 : 2.2;
    return {
      type: 'line', name: series.name, data: points, z: 3, connectNulls: false,
      showSymbol: marked, symbol: hollow ? 'emptyTriangle' : SYMBOLS[series.symbol],
      symbolSize: role === 'curve' ? 5 : 9, symbolRotate: role === 'upper_bounds' ? 180 : 0,
      lineStyle: lined ? { color: shade, width, type: series.dash.length ? series.dash : 'solid', opacity: role === 'companion' ? 0.85 : 1 } : { width: 0, opacity: 0 },
      itemStyle: { color: shade, borderColor: shade, borderWidth: hollow ? 1.6 : 0 },
      emphasis: { focus: 'series', lineStyle: { width: lined ? width + 1 : 0 } }, blur: { lineStyle: { opacity: lined ? 0.18 : 0 } },
    };
  }

  function rules(spec, hidden, look, logY, range) {
    const shown = spec.rules.filter(r => !hidden.has(r.run) && (!logY || r.y > 0) && r.y >= range[0] && r.y <= range[1]);
    return {
      type: 'line', data: [], silent: true, z: 0,
      markLine: {
        silent: true, symbol: 'none', animation: false, precision: 12,
        data: shown.map(r => r.run < 0
          ? { yAxis: r.y, lineStyle: { color: look.line, type: [6, 4], width: 1 },
              label: { show: true, position: 'insideStartTop', formatter: r.label, color: look.soft, fontSize: 11 } }
          : { yAxis: r.y, lineStyle: { color: colour(r, look), type: [1.5, 3], width: 1.4 }, label: { show: false } }),
      },
    };
  }

  function tooltip(spec, look) {
    const value = spec.y.percent ? Axes.percent : Axes.number;
    const interval = p => p.length === 4 ? ` [${value(p[2])}, ${p[3] === null ? 'open' : value(p[3])}]` : '';
    return {
      trigger: spec.legend ? 'item' : 'axis', confine: true, backgroundColor: look.card, borderColor: look.line,
      textStyle: { color: look.text, fontSize: 12 },
      axisPointer: { type: 'line', snap: true, lineStyle: { color: look.line }, label: { show: false } },
      formatter: items => {
        const list = (Array.isArray(items) ? items : [items]).filter(i => i.seriesType === 'line' && i.value && i.value[1] !== null);
        if (list.length === 0) return '';
        const rows = list.map(i => `<tr><td>${i.marker}${escape(i.seriesName)}</td><td style="padding-left:1em;text-align:right">${value(i.value[1])}${interval(i.value)}</td></tr>`);
        const name = spec.x.label.split(' (')[0].replace('training step ', '').replace('training set size ', '');
        return `<b>${escape(name)} = ${Axes.number(list[0].value[0])}</b><table style="border:0;background:none;font-size:12px">${rows.join('')}</table>`;
      },
    };
  }

  // spec: as in the page's JSON; scales: {x, y} booleans, true for log; hidden: set of run indices; look: theme().
  function option(spec, scales, hidden, look) {
    const shown = spec.series.filter(s => !hidden.has(s.run))
      .map(s => ({ ...s, ink: s, name: s.role === 'companion' ? s.label + ' (train)' : s.label }));
    const points = shown.map(s => drawable(s.points, scales.x, scales.y));
    const flat = points.flat();
    const bases = spec.rules.filter(r => !hidden.has(r.run)).map(r => r.run < 0 ? null : r.y);
    const ys = flat.flatMap(p => p[1] === null ? [] : scales.y ? [p[1]] : p.slice(1)).concat(bases);
    const xRange = scales.x ? Axes.logRange(Axes.extent(flat.map(p => p[0]), true)) : Axes.linearRange(Axes.extent(flat.map(p => p[0]), false), true);
    const yRange = scales.y ? Axes.logRange(Axes.extent(ys, true)) : Axes.linearRange(Axes.extent(ys, false), spec.y.percent);
    const floor = scales.y ? yRange[0] : -Infinity;
    const series = [rules(spec, hidden, look, scales.y, yRange)];
    shown.forEach((s, i) => {
      const extra = s.role === 'points' ? bars(s, points[i], look, yRange) : band(s, points[i], look, floor);
      series.push(main(s, points[i], look)); // first: the legend takes its mark from the first series of a name
      if (extra) series.push(extra);
    });
    const names = [...new Set(shown.filter(s => s.listed || s.role === 'companion').map(s => s.name))];
    const ticks = (axis, range, log) => axis.ticks.length ? axis.ticks : log ? Axes.logTicks(range) : Axes.linearTicks(range);
    return {
      animation: false, backgroundColor: 'transparent', textStyle: { fontFamily: FONT },
      grid: { left: 74, right: 22, top: spec.legend ? 12 + 20 * names.length : 14, bottom: 50, containLabel: false, outerBoundsMode: 'none' },
      legend: spec.legend ? { data: names, orient: 'vertical', top: 0, left: 60, itemWidth: 26, itemGap: 5, formatter: rich, textStyle: { color: look.text, fontSize: 13, rich: RICH } } : { show: false },
      tooltip: tooltip(spec, look),
      toolbox: { show: false },
      xAxis: axis(spec.x, scales.x, xRange, ticks(spec.x, xRange, scales.x), look, { gap: 30 }),
      yAxis: axis(spec.y, scales.y, yRange, ticks(spec.y, yRange, scales.y), look, { gap: 54 }),
      series,
    };
  }

  return { option, theme };
})();
