// Curves of a day to a year, by ECharts; fetched beside the socket so that news never wait for them.
import { curves, options } from "/dashboard/curves.js";

const RENEW_MS = 60000, SOON_MS = 7000;
const SPANS = { day: "d", week: "w", month: "m", year: "y" };
const KEPT = "gridzero-curves";
const AT_FIRST = ["sun", "house", "battery", "grid", "soc", "spread"];
const TONES = { gives: "discharges", stores: "charges", rests: "rests", limit: "is limited", trouble: "trouble" };

const stored = () => { try { const kept = JSON.parse(localStorage.getItem(KEPT)); return Array.isArray(kept) ? kept : AT_FIRST; } catch { return AT_FIRST; } };

export const PastChart = {
  props: { kiosk: Boolean, look: String },
  data() {
    return { span: "day", why: "", past: null, spans: Object.keys(SPANS), tones: TONES, shown: this.kiosk ? AT_FIRST : stored(), small: matchMedia("(max-width: 560px)").matches };
  },
  computed: {
    offered() { return this.past ? curves().filter((curve) => curve.values(this.past).some((value) => value !== null)) : []; },
    band() { return (this.past?.band ?? []).map((run) => ({ ...run, style: this.place(run.from_s, run.to_s), words: `${this.when(run.from_s)}: ${run.text}` })); },
    marks() { return (this.past?.marks ?? []).map((mark) => ({ ...mark, style: this.place(mark.at_s, mark.at_s), words: `${this.when(mark.at_s)} ${mark.text}` })); },
    told() { return Object.entries(TONES).filter(([tone]) => this.band.some((run) => run.tone === tone)); },
  },
  template: `
    <div v-if="!kiosk" class="spans" role="group" aria-label="Span">
      <button v-for="one in spans" :key="one" class="quiet" :class="{ on: span === one }" :aria-pressed="span === one ? 'true' : 'false'" @click="choose(one)">{{ one }}</button></div>
    <p v-if="why" class="dim wait" role="status">{{ why }}</p>
    <div v-show="!why" class="past">
      <div class="curves" role="group" aria-label="Curves"><component :is="kiosk ? 'span' : 'button'" v-for="curve in (kiosk ? offered.filter((one) => shown.includes(one.key)) : offered)" :key="curve.key" class="curve" :class="{ on: shown.includes(curve.key) }"
        :aria-pressed="kiosk ? null : shown.includes(curve.key) ? 'true' : 'false'" @click="toggle(curve.key)"><i :style="{ background: 'var(' + curve.color + ')' }" :class="curve.dash"></i>{{ curve.title }}</component></div>
      <div ref="chart" class="chart" role="img" :aria-label="'Grid, battery, house, state of charge and cells of the last ' + span"></div>
      <div v-if="past" class="when" :style="{ marginLeft: (small ? 44 : 58) + 'px', marginRight: (small ? 40 : 56) + 'px' }">
        <div class="marks"><i v-for="(mark, i) in marks" :key="i" :class="mark.severity" :style="mark.style" :title="mark.words"></i></div>
        <div class="band" role="img" :aria-label="'What gridzero did: ' + told.map((tone) => tone[1]).join(', ')"><i v-for="run in band" :key="run.from_s" :class="run.tone" :style="run.style" :title="run.words"></i></div>
        <p class="legend"><span v-for="[tone, title] in told" :key="tone"><i class="dot" :class="tone"></i>{{ title }}</span>
          <span v-if="marks.length"><i class="dot mark"></i>event</span></p>
      </div>
    </div>`,
  watch: {
    look() { this.$nextTick(() => this.draw()); },
    shown() { this.$nextTick(() => this.draw()); },
  },
  async mounted() {
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.redraw = () => this.draw();
    this.dark.addEventListener("change", this.redraw);
    this.onKey = (event) => this.key(event);
    window.addEventListener("keydown", this.onKey);
    // the library is large: the page is painted before it is fetched
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
    const [library] = await Promise.all([import("nicegui-echart").catch(() => null), this.fetch()]);
    if (!this.$refs.chart) return;
    if (!library) { this.why = "The library for charts cannot be loaded; load the page again"; return; }
    this.echarts = library.echarts;
    this.watcher = new ResizeObserver(() => { if (this.chart) this.draw(); });
    this.watcher.observe(this.$refs.chart);
    this.draw();
    this.later();
  },
  unmounted() {
    clearTimeout(this.timer);
    this.watcher?.disconnect();
    this.chart?.dispose();
    this.dark.removeEventListener("change", this.redraw);
    window.removeEventListener("keydown", this.onKey);
  },
  methods: {
    key(event) {
      if (this.kiosk || event.target.closest("input, select, dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
      const span = this.spans.find((one) => SPANS[one] === event.key);
      if (span) this.choose(span);
    },
    async choose(span) {
      if (span === this.span) return;
      this.span = span;
      performance.mark("gridzero-chart-asked");
      await this.renew();
    },
    toggle(key) {
      this.shown = this.shown.includes(key) ? this.shown.filter((one) => one !== key) : [...this.shown, key];
      localStorage.setItem(KEPT, JSON.stringify(this.shown));
    },
    later() {
      clearTimeout(this.timer);
      this.timer = setTimeout(async () => { await this.renew(); this.later(); }, this.why ? SOON_MS : RENEW_MS);
    },
    async renew() { await this.fetch(); this.draw(); },
    async fetch() {
      const span = this.span;
      let answer;
      try { answer = await (await fetch(`/data/history?span=${span}`)).json(); }
      catch { answer = { why_not: "The history cannot be reached" }; }
      if (span !== this.span) return; // another one was chosen meanwhile
      this.why = answer.why_not ?? "";
      this.past = answer.why_not ? null : Object.freeze(answer);
    },
    place(from_s, to_s) {
      const { from_s: begin, to_s: end } = this.past, whole = end - begin;
      const left = Math.max(0, from_s - begin), right = Math.min(whole, to_s - begin);
      return { left: `${(100 * left / whole).toFixed(3)}%`, width: to_s > from_s ? `${(100 * Math.max(0, right - left) / whole).toFixed(3)}%` : null };
    },
    when(at_s) { return new Date(at_s * 1000).toLocaleString("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }); },
    draw() {
      if (!this.past || !this.echarts || !this.$refs.chart) return;
      this.$nextTick(() => {
        if (!this.past || !this.$refs.chart) return;
        this.chart ??= this.echarts.init(this.$refs.chart, null, { renderer: "canvas" });
        this.chart.resize();
        this.chart.setOption(options(this.past, this.offered.filter((curve) => this.shown.includes(curve.key)), this.span, { small: this.small, kiosk: this.kiosk, tall: this.$refs.chart.clientHeight }), true);
        performance.mark("gridzero-chart-drawn");
        this.$refs.chart.dataset.drawn = this.span;
      });
    },
  },
};
