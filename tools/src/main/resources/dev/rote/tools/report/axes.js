'use strict';
// Axis ranges, ticks and numbers. Ranges are computed here, not by the chart library, so that log axes end where the
// data end instead of at the next power of ten.
const Axes = (() => {
  const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

  function power(exponent) {
    const digits = String(Math.abs(exponent)).split('').map(d => SUPERSCRIPTS[+d]).join('');
    return '10' + (exponent < 0 ? '⁻' : '') + digits;
  }

  function number(v) {
    if (v === null || !isFinite(v)) return '–';
    if (v === 0) return '0';
    const size = Math.abs(v);
    if (size < 1e-3 || size >= 1e7) {
      const exponent = Math.floor(Math.log10(size));
      return (v / 10 ** exponent).toPrecision(3).replace(/\.?0+$/, '').replace('-', '−') + '×' + power(exponent);
    }
    const text = String(+(v.toPrecision(size >= 1000 ? 4 : 3)));
    const [whole, part] = text.split('.');
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, '\u202f');
    return (part ? grouped + '.' + part : grouped).replace('-', '−');
  }

  const percent = v => v === null ? '–' : number(100 * v) + ' %';

  // Smallest and largest drawable value of one coordinate; on a log axis only positive values count.
  function extent(values, log) {
    let low = Infinity, high = -Infinity;
    for (const v of values) {
      if (v === null || !isFinite(v) || (log && v <= 0)) continue;
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    return low <= high ? [low, high] : log ? [1, 10] : [0, 1];
  }

  function logRange([low, high]) {
    const pad = Math.max(0.03 * Math.log10(high / low), low === high ? 0.3 : 0.02);
    return [low * 10 ** -pad, high * 10 ** pad];
  }

  // Powers of ten, with 2 and 5 between them on short axes and all digits on very short ones.
  function logTicks([low, high]) {
    const span = Math.log10(high / low);
    const digits = span > 2.6 ? [1] : span > 0.8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9];
    const ticks = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
      for (const d of digits) {
        const v = +(d * 10 ** e).toPrecision(6);
        if (v >= low && v <= high) ticks.push(v);
      }
    }
    return ticks;
  }

  function niceStep(span, count) {
    const raw = span / count;
    const base = 10 ** Math.floor(Math.log10(raw));
    return [1, 2, 5, 10].map(m => m * base).find(s => s >= raw * 0.999);
  }

  function linearRange([low, high], fromZero) {
    if (fromZero) low = Math.min(0, low);
    if (low === high) high = low + (Math.abs(low) || 1);
    const pad = 0.05 * (high - low);
    const top = high + pad;
    return fromZero ? [low, high <= 1 && top > 1 ? 1 : top] : [low - pad, top];
  }

  function linearTicks([low, high]) {
    const step = niceStep(high - low, 5);
    const ticks = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) ticks.push(+(k * step).toPrecision(10));
    return ticks;
  }

  function tickLabel(axis, log) {
    return v => axis.percent ? percent(v)
      : log && (v >= 1e5 || v < 1e-3) && Math.abs(Math.log10(v) % 1) < 1e-9 ? power(Math.round(Math.log10(v)))
      : number(v);
  }

  return { number, percent, extent, logRange, logTicks, linearRange, linearTicks, tickLabel };
})();
