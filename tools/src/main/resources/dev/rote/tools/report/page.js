// The page: tabs, scale switches, the legend that all figures share, light and dark, print.
(() => {
  const specs = JSON.parse(document.getElementById('charts').textContent);
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const hidden = new Set();
  const frames = [];
  let printing = false;

  function draw(frame) {
    const spec = specs[frame.current];
    const box = frame.node.querySelector(`[data-chart="${CSS.escape(frame.current)}"] .plot`);
    let chart = echarts.getInstanceByDom(box);
    if (!chart) {
      chart = echarts.init(box, null, { renderer: 'svg' });
      new ResizeObserver(() => chart.resize()).observe(box);
    }
    chart.setOption(Charts.option(spec, frame.scales, hidden, Charts.theme(dark.matches && !printing)), { notMerge: true });
    for (const button of frame.node.querySelectorAll('[data-scale]')) {
      button.setAttribute('aria-pressed', String(frame.scales[button.dataset.scale]));
    }
  }

  const drawAll = () => frames.forEach(draw);

  function show(frame, id) {
    frame.current = id;
    frame.scales = { x: specs[id].x.log, y: specs[id].y.log };
    for (const chart of frame.node.querySelectorAll('[data-chart]')) chart.hidden = chart.dataset.chart !== id;
    for (const tab of frame.node.querySelectorAll('[data-tab]')) tab.setAttribute('aria-pressed', String(tab.dataset.tab === id));
    draw(frame);
  }

  function connect(node) {
    const frame = { node, current: '', scales: {} };
    frames.push(frame);
    for (const tab of node.querySelectorAll('[data-tab]')) tab.addEventListener('click', () => show(frame, tab.dataset.tab));
    for (const button of node.querySelectorAll('[data-scale]')) {
      button.addEventListener('click', () => {
        frame.scales[button.dataset.scale] = !frame.scales[button.dataset.scale];
        draw(frame);
      });
    }
    show(frame, node.querySelector('[data-chart]').dataset.chart);
  }

  function toggle(button) {
    const run = button.dataset.run;
    if (run === 'all') hidden.clear();
    else if (hidden.has(+run)) hidden.delete(+run);
    else hidden.add(+run);
    for (const other of document.querySelectorAll('.legend [aria-pressed]')) {
      other.setAttribute('aria-pressed', String(!hidden.has(+other.dataset.run)));
    }
    drawAll();
  }

  document.querySelectorAll('figure.panel').forEach(connect);
  document.querySelectorAll('.legend button').forEach(b => b.addEventListener('click', () => toggle(b)));
  dark.addEventListener('change', drawAll);
  const print = on => () => { printing = on; drawAll(); };
  window.addEventListener('beforeprint', print(true));
  window.addEventListener('afterprint', print(false));
})();
