// Curves of a day or a week, by ECharts; fetched beside the socket so that news never wait for them.
const RENEW_MS = 60000;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const PastChart = {
  props: { kiosk: Boolean, look: String },
  data() { return { span: "day", why: "", took: null, small: matchMedia("(max-width: 560px)").matches }; },
  template: `
    <div v-if="!kiosk" class="spans" role="group" aria-label="Span">
      <button v-for="one in ['day', 'week']" :key="one" class="quiet" :class="{ on: span === one }" :aria-pressed="span === one" @click="choose(one)">{{ one }}</button></div>
    <p v-if="why" class="dim" role="status">{{ why }}</p>
    <div ref="chart" class="chart" role="img" :aria-label="'Grid, battery, house, state of charge and cells of the last ' + span" v-show="!why"></div>`,
  watch: {
    look() { this.$nextTick(() => this.draw()); },
  },
  async mounted() {
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.draw();
    this.dark.addEventListener("change", this.redraw);
    this.onKey = (event) => {
      if (event.target.closest("input, select, dialog[open]") || event.ctrlKey || event.metaKey) return;
      if (event.key === "d") this.choose("day");
      if (event.key === "w") this.choose("week");
    };
    window.addEventListener("keydown", this.onKey);
    // the library is large: the page is painted before it is fetched
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
    const [{ echarts }] = await Promise.all([import("nicegui-echart"), this.fetch()]);
    if (!this.$refs.chart) return;
    this.echarts = echarts;
    this.watcher = new ResizeObserver(() => this.chart?.resize());
    this.watcher.observe(this.$refs.chart);
    this.draw();
    this.timer = setInterval(() => this.renew(), RENEW_MS);
  },
  unmounted() {
    clearInterval(this.timer);
    this.watcher?.disconnect();
    this.chart?.dispose();
    this.dark.removeEventListener("change", this.redraw);
    window.removeEventListener("keydown", this.onKey);
  },
  methods: {
    async choose(span) {
      if (span === this.span) return;
      this.span = span;
      performance.mark("gridzero-chart-asked");
      await this.renew();
    },
    async renew() { await this.fetch(); this.draw(); },
    async fetch() {
      try {
        const response = await fetch(`/data/history?span=${this.span}`);
        const answer = await response.json();
        this.why = answer.why_not ?? "";
        this.past = answer.why_not ? null : answer;
      } catch { this.why = "The history cannot be reached"; this.past = null; }
    },
    draw() {
      if (!this.past || !this.echarts || !this.$refs.chart) return;
      this.$nextTick(() => {
        this.chart ??= this.echarts.init(this.$refs.chart, null, { renderer: "canvas" });
        this.chart.resize();
        this.chart.setOption(this.options(), true);
        performance.mark("gridzero-chart-drawn");
        this.$refs.chart.dataset.drawn = this.span;
      });
    },
    options() {
      const past = this.past, font = getComputedStyle(document.body).fontFamily, text = css("--dim"), rule = css("--rule"), size = this.kiosk ? 15 : 12;
      const pairs = (curve, make = (v) => v) => past.at_s.map((at, i) => [at * 1000, curve[i] === null ? null : make(curve[i], i)]);
      const spread = past.high.map((high, i) => (high === null || past.low[i] === null ? null : Math.round((high - past.low[i]) * 1000)));
      const line = (name, data, color, axis, more = {}) => ({
        name, type: "line", data, showSymbol: false, xAxisIndex: axis, yAxisIndex: axis, connectNulls: false, animation: false,
        lineStyle: { width: 1.6, color }, itemStyle: { color }, emphasis: { disabled: true }, ...more,
      });
      const shade = (color) => ({ areaStyle: { color, opacity: 0.16 } });
      const left = this.small ? 44 : 58, right = this.small ? 40 : 56;
      const time = { type: "time", min: past.from_s * 1000, max: past.to_s * 1000, axisLine: { lineStyle: { color: rule } }, axisTick: { show: false }, splitLine: { show: false } };
      const tag = { color: text, fontSize: size };
      const value = (name, more = {}) => ({ type: "value", name, nameTextStyle: tag, axisLabel: tag, splitLine: { lineStyle: { color: rule } }, splitNumber: 4, ...more });
      return {
        aria: { enabled: true }, backgroundColor: "transparent", textStyle: { fontFamily: font },
        legend: { top: 0, left: 0, itemWidth: 18, itemHeight: 8, itemGap: this.small ? 10 : 18, textStyle: { ...tag, color: css("--text") }, icon: "roundRect" },
        axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: text } },
        tooltip: { trigger: "axis", backgroundColor: css("--card"), borderColor: rule, textStyle: { color: css("--text"), fontSize: size }, confine: true,
          valueFormatter: (v) => (v === null || v === undefined ? "unknown" : String(Math.round(v * 10) / 10).replace("-", "−")) },
        grid: [{ left, right, top: this.small ? 72 : 54, height: this.small ? "36%" : "44%" }, { left, right, bottom: 26, height: this.small ? "24%" : "24%" }],
        xAxis: [{ ...time, gridIndex: 0, axisLabel: { show: false } }, { ...time, gridIndex: 1, axisLabel: { ...tag, hideOverlap: true } }],
        yAxis: [value("W", { gridIndex: 0 }), value("%", { gridIndex: 1, min: 0, max: 100, interval: 50 }),
          value("mV", { gridIndex: 1, position: "right", min: 0, splitLine: { show: false }, splitNumber: 2 })],
        series: [
          line("house", pairs(past.house), css("--house"), 0),
          line("battery", pairs(past.battery), css("--battery"), 0, shade(css("--battery"))),
          line("grid", pairs(past.grid), css("--grid"), 0),
          line("state of charge, %", pairs(past.soc), css("--battery"), 1, shade(css("--battery"))),
          { ...line("spread of cells, mV", pairs(spread), css("--sun"), 1), yAxisIndex: 2 },
        ],
      };
    },
  },
};
