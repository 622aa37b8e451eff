// Which curves there are, and how ECharts is to draw them: a pure function of the past.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const spread = (past) => past.high.map((high, i) => (high === null || past.low[i] === null ? null : Math.round((high - past.low[i]) * 1000)));
const POWER = 0, PART = 1, MILLI = 2;
const CURVES = [
  { key: "sun", title: "sun", unit: "W", color: "--sun", axis: POWER },
  { key: "house", title: "house beyond the sun", unit: "W", color: "--house", axis: POWER },
  { key: "battery", title: "battery", unit: "W", color: "--battery", axis: POWER, shade: true },
  { key: "grid", title: "grid", unit: "W", color: "--grid", axis: POWER },
  { key: "soc", title: "state of charge", unit: "%", color: "--battery", axis: PART, shade: true },
  { key: "spread", title: "spread of cells", unit: "mV", color: "--violet", axis: MILLI, read: spread },
  { key: "heat", title: "hottest sensor", unit: "°C", color: "--bad", axis: PART, dash: "dashed" },
];
const LABELS = {
  day: "{HH}:{mm}",
  week: { day: "{ee} {d}", hour: "{HH}:{mm}", month: "{ee} {d}", year: "{ee} {d}" },
  month: { day: "{d} {MMM}", hour: "", month: "{d} {MMM}", year: "{d} {MMM}" },
  year: { day: "", hour: "", month: "{MMM}", year: "{yyyy}" },
};
const TOP = 26, FOOT = 26, BETWEEN = 32; // px, for the names of the axes
const minus = (value) => String(value).replace("-", "−");

export const curves = () => CURVES.map((curve) => ({ ...curve, values: curve.read ?? ((past) => past[curve.key]) }));

function line(curve, past) {
  const color = css(curve.color), lower = curve.axis !== POWER, values = curve.values(past);
  return {
    name: curve.title, type: "line", data: past.at_s.map((at, i) => [at * 1000, values[i]]), showSymbol: false, connectNulls: false, animation: false,
    xAxisIndex: lower ? 1 : 0, yAxisIndex: curve.axis, lineStyle: { width: 1.6, color, type: curve.dash ?? "solid" }, itemStyle: { color }, emphasis: { disabled: true },
    tooltip: { valueFormatter: (v) => (v === null || v === undefined ? "unknown" : `${minus(Math.round(v * 10) / 10)} ${curve.unit}`) },
    ...(curve.shade ? { areaStyle: { color, opacity: 0.16 } } : {}),
  };
}

export function options(past, chosen, span, { small, kiosk, tall }) {
  const font = getComputedStyle(document.body).fontFamily, text = css("--dim"), rule = css("--rule"), size = kiosk ? 15 : 12;
  const tag = { color: text, fontSize: size }, left = small ? 44 : 58, right = small ? 40 : 56;
  const time = { type: "time", min: past.from_s * 1000, max: past.to_s * 1000, axisLine: { lineStyle: { color: rule } }, axisTick: { show: false }, splitLine: { show: false } };
  const value = (name, more) => ({ type: "value", name, nameTextStyle: tag, nameGap: 10, axisLabel: { ...tag, formatter: (v) => minus(v) }, splitLine: { lineStyle: { color: rule } }, splitNumber: 4, ...more });
  const room = Math.max(60, tall - TOP - FOOT - BETWEEN);
  const has = (axis) => chosen.some((curve) => curve.axis === axis), heat = chosen.some((curve) => curve.key === "heat");
  return {
    aria: { enabled: true }, backgroundColor: "transparent", textStyle: { fontFamily: font },
    axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: text } },
    tooltip: { trigger: "axis", backgroundColor: css("--card"), borderColor: rule, textStyle: { color: css("--text"), fontSize: size }, confine: true },
    grid: [{ left, right, top: TOP, height: 0.68 * room }, { left, right, bottom: FOOT, height: 0.32 * room }],
    xAxis: [{ ...time, gridIndex: 0, axisLabel: { show: false } }, { ...time, gridIndex: 1, axisLabel: { ...tag, hideOverlap: true, formatter: LABELS[span] } }],
    yAxis: [value("W", { gridIndex: 0, show: has(POWER) }),
      value(heat ? "% °C" : "%", { gridIndex: 1, min: 0, max: 100, interval: 50, show: has(PART) }),
      value("mV", { gridIndex: 1, position: "right", min: 0, splitLine: { show: false }, splitNumber: 2, show: has(MILLI) })],
    series: chosen.map((curve) => line(curve, past)),
  };
}
