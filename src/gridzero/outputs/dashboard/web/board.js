// The page: sections come from Python ready to be shown; here they are only drawn.
import { FlowPicture } from "/dashboard/flow.js";
import { BatteryPanel } from "/dashboard/battery.js";
import { CellMap } from "/dashboard/cells.js";
import { PastChart } from "/dashboard/chart.js";
import { EnergyPanel } from "/dashboard/energy.js";
import { ModulesPanel, CarePanel } from "/dashboard/modules.js";
import { WhyPanel, ScorePanel } from "/dashboard/why.js";
import { FaultsPanel, EventsPanel } from "/dashboard/faults.js";
import { SettingsPanel } from "/dashboard/settings.js";
import { BoardHeader, HelpDialog, CardFrame } from "/dashboard/frame.js";

const THEMES = ["auto", "dark", "light"];
const ANCHORS = ["flow", "battery", "chart", "energy", "cells", "why", "faults", "modules", "settings"];
const ANSWER_SHOWN_MS = 9000;

export default {
  components: {
    FlowPicture, BatteryPanel, CellMap, PastChart, EnergyPanel, ModulesPanel, CarePanel, WhyPanel, ScorePanel,
    FaultsPanel, EventsPanel, SettingsPanel, BoardHeader, HelpDialog, CardFrame,
  },
  props: { first: Object, kiosk: Boolean, theme: String, login: Boolean },
  emits: ["drawn", "ask"],
  data() {
    return {
      view: this.first,
      answers: {},
      toast: null,
      help: false,
      lost: false,
      chosen: this.theme !== "auto" ? this.theme : localStorage.getItem("gridzero-theme") || "auto",
    };
  },
  computed: {
    stale() { return this.view.head.stale; },
    offline() { return this.view.head.online === false; },
    unheard() { return this.view.head.online === null; },
  },
  template: `
    <div class="board" :class="{ kiosk, offline: offline || lost }">
      <a class="skip" href="#main">Skip to content</a>
      <board-header :head="view.head" :flow="view.flow" :kiosk="kiosk" :theme="chosen" :lost="lost"
        :faults="view.faults.length" :login="login" @theme="nextTheme" @help="help = true" />
      <div v-if="lost" class="banner" role="alert">The dashboard itself cannot be reached; what you see is old.</div>
      <div v-else-if="offline" class="banner" role="alert">
        <strong>gridzero is offline.</strong> What you see is what it said last.
      </div>
      <div v-else-if="unheard" class="banner calm" role="status">Waiting for the first word of gridzero …</div>
      <main id="main" class="cards" tabindex="-1">
        <card-frame id="flow" title="Now" :stale="stale.flow" wide>
          <flow-picture :flow="view.flow" />
        </card-frame>
        <card-frame id="battery" title="Battery" :stale="stale.battery">
          <battery-panel :battery="view.battery" :kiosk="kiosk" />
        </card-frame>
        <card-frame id="chart" title="History" wide>
          <past-chart :kiosk="kiosk" :look="chosen" />
        </card-frame>
        <card-frame id="why" title="Why" :stale="stale.why">
          <why-panel :why="view.why" :kiosk="kiosk" />
        </card-frame>
        <card-frame id="energy" title="Energy" :stale="stale.energy" wide>
          <energy-panel :energy="view.energy" :kiosk="kiosk" />
        </card-frame>
        <card-frame v-if="!kiosk" id="care" title="To look after" :stale="stale.care">
          <care-panel :care="view.care" />
        </card-frame>
        <card-frame id="cells" title="Cells" :stale="stale.cells" wide>
          <cell-map :cells="view.cells" :kiosk="kiosk" />
        </card-frame>
        <card-frame id="score" title="How well the grid is held" :stale="stale.score">
          <score-panel :score="view.score" />
        </card-frame>
        <card-frame id="faults" title="Faults" :stale="stale.faults" wide>
          <faults-panel :faults="view.faults" :kiosk="kiosk" :answers="answers" @ask="ask" />
        </card-frame>
        <card-frame v-if="!kiosk" id="events" title="What happened">
          <events-panel :events="view.events" />
        </card-frame>
        <card-frame v-if="!kiosk" id="modules" title="Modules" :stale="stale.modules" full>
          <modules-panel :modules="view.modules" />
        </card-frame>
        <card-frame v-if="!kiosk" id="settings" title="Settings and actions" :stale="stale.settings" full>
          <settings-panel :settings="view.settings" :answers="answers" @ask="ask" />
        </card-frame>
      </main>
      <help-dialog v-if="help" @close="help = false" />
      <div class="toasts" aria-live="polite">
        <div v-if="toast" class="toast" :class="toast.ok ? 'good' : 'bad'" @click="toast = null">
          <strong>{{ toast.ok ? "Done" : "Refused" }}</strong> {{ toast.text }}
        </div>
      </div>
    </div>`,
  created() { this.dress(); },
  mounted() {
    this.$emit("drawn", 0);
    performance.mark("gridzero-painted");
    this.onKey = (event) => this.key(event);
    window.addEventListener("keydown", this.onKey);
    this.watcher = setInterval(() => this.watch(), 2000);
  },
  unmounted() {
    window.removeEventListener("keydown", this.onKey);
    clearInterval(this.watcher);
  },
  methods: {
    show(turn, changes) {
      Object.assign(this.view, changes);
      // not requestAnimationFrame: a page in the background draws none, and is no slow browser
      this.$nextTick(() => this.$emit("drawn", turn));
    },
    watch() {
      this.lost = !(window.socket && window.socket.connected);
      if (!this.lost) return;
      for (const [what, one] of Object.entries(this.answers)) if (one.busy) this.answers[what] = { ok: false, text: "no answer: the connection broke" };
    },
    ask(what, value) {
      this.answers[what] = { busy: true };
      this.$emit("ask", { what, value });
    },
    answered(what, ok, text) {
      this.answers[what] = { ok, text };
      this.toast = { ok, text };
      clearTimeout(this.fading);
      this.fading = setTimeout(() => { this.toast = null; }, ANSWER_SHOWN_MS);
    },
    nextTheme() {
      this.chosen = THEMES[(THEMES.indexOf(this.chosen) + 1) % THEMES.length];
      localStorage.setItem("gridzero-theme", this.chosen);
      this.dress();
    },
    dress() { document.documentElement.dataset.theme = this.chosen; },
    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || this.kiosk) return;
      if (event.target.closest("input, select, textarea, dialog[open]")) return;
      const number = Number(event.key);
      if (event.key === "?") this.help = true;
      else if (event.key === "t") this.nextTheme();
      else if (number >= 1 && number <= ANCHORS.length) this.go(ANCHORS[number - 1]);
    },
    go(anchor) {
      const card = document.getElementById(anchor);
      card?.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
      card?.focus({ preventScroll: true });
    },
  },
};
