// The picture of the power flow. Lines point the way the power goes; their pace grows with it.
const WIDE = {
  box: "20 44 720 312", sunny: "20 -58 720 378",
  grid: [100, 200], house: [345, 200], battery: [660, 200], sun: [345, 14],
  inverter: [505, 118], rectifier: [505, 282],
  lines: {
    grid: "M164 200 H279", sun: "M345 80 V134",
    inverter: "M640 140 C632 118 610 118 585 118 H425 C390 118 366 122 358 139",
    rectifier: "M358 261 C366 278 390 282 425 282 H585 C610 282 632 282 640 260",
  },
};
const TALL = {
  box: "10 10 380 590", sunny: "10 10 380 590",
  grid: [200, 80], house: [200, 290], battery: [200, 530], sun: [318, 80],
  inverter: [88, 412], rectifier: [312, 412],
  lines: {
    grid: "M200 140 V228", sun: "M296 142 L242 240",
    inverter: "M143 512 C100 500 88 480 88 450 V372 C88 340 100 320 142 308",
    rectifier: "M258 308 C300 320 312 340 312 372 V450 C312 480 300 500 257 512",
  },
};
// a telephone is too narrow for the sun beside the grid, unless the grid makes room
const BESIDE = { grid: [96, 80], sun: [304, 80], lines: { grid: "M124 138 L170 234", sun: "M276 138 L230 234" } };
const ICONS = {
  grid: "M0 -15 L-9 15 M0 -15 L9 15 M-12 -5 H12 M-9 4 H9 M-6 -5 L7 8 M6 -5 L-7 8",
  house: "M-15 1 L0 -13 L15 1 M-11 -2 V14 H11 V-2 M-3 14 V5 H3 V14",
  battery: "M-11 -9 H11 V14 H-11 Z M-5 -9 V-14 H5 V-9",
  sun: "M0 -7 A7 7 0 1 1 0 7 A7 7 0 1 1 0 -7 M0 -16 V-12 M0 12 V16 M-16 0 H-12 M12 0 H16 M-11 -11 L-9 -9 M9 9 L11 11 M-11 11 L-9 9 M9 -9 L11 -11",
};
const SLOWEST_S = 5, FASTEST_S = 0.9, FULL_W = 3000;

const Line = {
  props: { d: String, watts: Number, kind: String },
  computed: {
    rests() { return !this.watts; },
    shown() {
      const share = Math.min(1, Math.sqrt(Math.abs(this.watts ?? 0) / FULL_W));
      return { animationDuration: `${(SLOWEST_S - (SLOWEST_S - FASTEST_S) * share).toFixed(1)}s`, strokeWidth: 3 + 4 * share };
    },
  },
  template: `
    <g :class="['line', kind, { rests, back: watts < 0, unknown: watts === null }]">
      <path class="track" :d="d" /><path v-if="!rests" class="run" :d="d" :style="shown" />
    </g>`,
};

const Node = {
  props: { at: Array, kind: String, value: String, note: String, icon: String, level: Number },
  template: `
    <g :class="['node', kind]" :transform="'translate(' + at[0] + ' ' + at[1] + ')'">
      <circle r="64" />
      <circle v-if="kind === 'battery'" class="level" r="64" pathLength="100" :stroke-dasharray="(level ?? 0) + ' 100'" transform="rotate(-90)" />
      <path class="icon" :d="icon" transform="translate(0 -26)" />
      <text class="value" y="16">{{ value }}</text><text class="note" y="36">{{ note }}</text>
    </g>`,
};

export const FlowPicture = {
  components: { FlowLine: Line, FlowNode: Node },
  props: { flow: Object },
  data() { return { narrow: false, icons: ICONS }; },
  computed: {
    units() { return ["inverter", "rectifier"].filter((unit) => this.flow[unit]); },
    place() {
      const place = this.narrow ? TALL : WIDE;
      return this.narrow && this.flow.sun ? { ...place, ...BESIDE, lines: { ...place.lines, ...BESIDE.lines } } : place;
    },
  },
  template: `
    <svg class="flow" :class="{ narrow }" :viewBox="flow.sun ? place.sunny : place.box" role="img" :aria-label="flow.summary">
      <flow-line :d="place.lines.grid" :watts="flow.lines.grid" kind="grid" />
      <flow-line v-if="flow.sun" :d="place.lines.sun" :watts="flow.lines.sun" kind="sun" />
      <flow-line v-if="flow.inverter" :d="place.lines.inverter" :watts="flow.lines.inverter" kind="inverter" />
      <flow-line v-if="flow.rectifier" :d="place.lines.rectifier" :watts="flow.lines.rectifier" kind="rectifier" />
      <g v-for="unit in units" :key="unit" :class="['unit', unit, { rests: !flow.lines[unit] }]"
         :transform="'translate(' + place[unit][0] + ' ' + place[unit][1] + ')'">
        <rect x="-72" y="-29" width="144" height="58" rx="14" />
        <text class="name" y="-7">{{ flow[unit].title }}</text>
        <text class="value" y="16">{{ flow[unit].value }}</text>
      </g>
      <flow-node v-if="flow.sun" :at="place.sun" kind="sun" v-bind="flow.sun" :icon="icons.sun" />
      <flow-node :at="place.grid" kind="grid" v-bind="flow.grid" :icon="icons.grid" />
      <flow-node :at="place.house" kind="house" v-bind="flow.house" :icon="icons.house" />
      <flow-node :at="place.battery" kind="battery" v-bind="flow.battery" :icon="icons.battery" />
    </svg>
    <p class="because" v-if="flow.because">{{ flow.because }}</p>`,
  mounted() {
    this.query = matchMedia("(max-width: 560px)");
    this.narrow = this.query.matches;
    this.onSize = () => { this.narrow = this.query.matches; };
    this.query.addEventListener("change", this.onSize);
  },
  unmounted() { this.query.removeEventListener("change", this.onSize); },
};
