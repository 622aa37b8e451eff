// The map of all cells: blue is below the others, orange above. Shape and signs say it without colour.
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export const CellMap = {
  props: { cells: Object, kiosk: Boolean },
  data() { return { chosen: null }; },
  computed: {
    fact() {
      const all = this.cells.modules.flatMap((module) => module.cells.map((cell) => ({ ...cell, module })));
      return all.find((cell) => cell.name === this.chosen) ?? null;
    },
  },
  template: `
    <p class="lead">Mean {{ cells.mean }}, spread {{ cells.spread }}
      <span v-if="cells.bleeding" class="tag bleed">{{ cells.bleeding }} bleeding</span>
      <span v-if="cells.suspect" class="tag doubt">{{ cells.suspect }} in doubt</span></p>
    <div class="map" role="grid" :aria-label="cells.summary" @keydown="move">
      <div v-for="(module, row) in cells.modules" :key="module.name" class="module" role="row">
        <span class="name" role="rowheader" :title="module.balancing">{{ module.name }}</span>
        <button v-for="(cell, column) in module.cells" :key="cell.name" role="gridcell"
          :class="['cell', { bleeding: cell.bleeding, suspect: cell.suspect, unknown: cell.v === null, chosen: cell.name === chosen }]"
          :style="{ '--heat': heat(cell) }" :tabindex="tab(cell, row, column)" :data-at="row + '.' + column"
          :aria-label="words(cell)" :title="words(cell)" @click="chosen = chosen === cell.name ? null : cell.name">
          <span>{{ short(cell) }}</span></button>
        <span class="temp">{{ module.temp }}</span>
      </div>
    </div>
    <div class="legend" aria-hidden="true"><span>{{ edge(cells.low_v) }}</span><i class="ramp"></i><span>{{ edge(cells.high_v) }}</span>
      <span class="key"><i class="cell bleeding"></i>bleeding</span><span class="key"><i class="cell suspect"></i>in doubt</span></div>
    <div v-if="fact && !kiosk" class="fact" role="status">
      <strong>{{ fact.name }}</strong> {{ fact.value }} ({{ fact.off_mv }} from the mean)
      <span>charge {{ fact.soc }}</span><span>loses {{ fact.leak }}</span>
      <span>module {{ fact.module.current }}, {{ fact.module.temp }}</span>
      <span v-if="fact.bleeding">is being bled</span><span v-if="fact.module.balancing" class="dim">{{ fact.module.balancing }}</span>
      <span v-if="fact.doubt" class="warn">{{ fact.doubt }}</span>
    </div>`,
  methods: {
    heat(cell) {
      const { low_v: low, high_v: high } = this.cells;
      if (cell.v === null || low === null) return 0.5;
      if (high - low < 0.002) return 0.5;
      // at least 30 mV wide, so that healthy cells look alike
      const middle = (low + high) / 2, half = Math.max(high - low, 0.03) / 2;
      return Math.max(0, Math.min(1, 0.5 + (cell.v - middle) / half / 2)).toFixed(3);
    },
    short(cell) {
      if (cell.suspect) return "?";
      return cell.v === null ? "–" : cell.v.toFixed(3).slice(-3);
    },
    edge(volts) { return volts === null ? "–" : volts.toFixed(3) + " V"; },
    words(cell) {
      return [cell.name, cell.value, cell.bleeding && "bleeding", cell.suspect && "in doubt"].filter(Boolean).join(", ");
    },
    tab(cell, row, column) { return cell.name === this.chosen || (!this.chosen && row === 0 && column === 0) ? 0 : -1; },
    move(event) {
      const step = STEPS[event.key];
      const here = event.target.dataset.at?.split(".").map(Number);
      if (!step || !here) return;
      event.preventDefault();
      this.$el.parentElement.querySelector(`[data-at="${here[0] + step[0]}.${here[1] + step[1]}"]`)?.focus();
    },
  },
};
