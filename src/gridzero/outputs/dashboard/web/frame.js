// Header, cards and the list of shortcuts: what every panel stands in.
const THEME_WORDS = { auto: "as the system", dark: "dark", light: "light" };

export const CardFrame = {
  props: { id: String, title: String, stale: String, wide: Boolean, full: Boolean },
  template: `
    <section class="card" :class="[{ stale, wide, full }, 'card-' + id]" :id="id" tabindex="-1" :aria-labelledby="id + '-title'">
      <header><h2 :id="id + '-title'">{{ title }}</h2>
        <span v-if="stale" class="age" role="status">{{ stale }}</span></header>
      <div class="body"><slot /></div>
    </section>`,
};

export const BoardHeader = {
  props: { head: Object, flow: Object, kiosk: Boolean, theme: String, faults: Number, login: Boolean, lost: Boolean },
  emits: ["theme", "help"],
  data() { return { clock: "" }; },
  computed: {
    mark() {
      if (this.lost) return { text: "no connection", kind: "bad" };
      if (this.head.online === true) return { text: "online", kind: "good" };
      return this.head.online === false ? { text: "offline", kind: "bad" } : { text: "not heard yet", kind: "quiet" };
    },
    themeWords() { return THEME_WORDS[this.theme]; },
  },
  template: `
    <header class="top">
      <svg class="logo" viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="16" r="12" /><path d="M2 16h8l3-6 6 12 3-6h8" /></svg>
      <h1 :title="head.version && 'gridzero ' + head.version">{{ head.site }}</h1>
      <span class="pill" :class="mark.kind" role="status">{{ mark.text }}</span>
      <a v-if="faults" class="pill bad" href="#faults">{{ faults }} {{ faults === 1 ? "fault" : "faults" }}</a>
      <span v-if="head.config" class="pill" :title="head.config">configuration</span>
      <span class="space"></span>
      <time class="clock">{{ clock }}</time>
      <template v-if="!kiosk">
        <button class="quiet theme" @click="$emit('theme')" :aria-label="'Colours: ' + themeWords + '. Change'">
          <svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8" /><path class="half" d="M12 4a8 8 0 0 1 0 16z" /></svg>
          <span>{{ theme }}</span></button>
        <button class="quiet" @click="$emit('help')" aria-label="Keyboard shortcuts">?</button>
        <form v-if="login" method="post" action="/logout"><button class="quiet">Log out</button></form>
      </template>
    </header>`,
  mounted() { this.tick(); this.ticker = setInterval(() => this.tick(), 5000); },
  unmounted() { clearInterval(this.ticker); },
  methods: {
    tick() { this.clock = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false }); },
  },
};

export const HelpDialog = {
  emits: ["close"],
  template: `
    <dialog ref="box" class="box" aria-labelledby="help-title" @close="$emit('close')">
      <h2 id="help-title">Keyboard</h2>
      <dl class="keys">
        <dt><kbd>1</kbd> … <kbd>9</kbd></dt><dd>now, battery, history, energy, cells, why, faults, modules, settings</dd>
        <dt><kbd>d</kbd> <kbd>w</kbd> <kbd>m</kbd> <kbd>y</kbd></dt><dd>history of a day, a week, a month, a year</dd>
        <dt><kbd>t</kbd></dt><dd>colours: as the system, dark, light</dd>
        <dt><kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd> <kbd>↓</kbd></dt><dd>from cell to cell</dd>
        <dt><kbd>?</kbd></dt><dd>this list</dd>
        <dt><kbd>Esc</kbd></dt><dd>close</dd>
      </dl>
      <p class="dim">Add <code>?kiosk</code> to the address for a display on a wall.</p>
      <form method="dialog"><button class="main">Close</button></form>
    </dialog>`,
  mounted() { this.$refs.box.showModal(); },
};
