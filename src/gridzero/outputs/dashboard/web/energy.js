// Energy of today and since ever; where the house's energy of each day came from, as bars.
const SOURCES = [["sun", "sun"], ["battery", "battery"], ["grid", "grid"]];
const TALL = 116, DEEP = 34, WIDTH = 30;

export const EnergyPanel = {
  props: { energy: Object, kiosk: Boolean },
  computed: {
    scale() {
      const up = this.energy.days.map((day) => SOURCES.reduce((sum, [key]) => sum + (day[key] ?? 0), 0));
      const most = Math.max(0.5, ...up), sold = Math.max(0.01, ...this.energy.days.map((day) => day.sold ?? 0));
      return { most, sold, perKwh: Math.min(TALL / most, (TALL + DEEP) / (most + sold)) };
    },
    bars() {
      return this.energy.days.map((day, index) => {
        let top = TALL;
        const parts = SOURCES.filter(([key]) => day[key]).map(([key, tint]) => {
          const height = day[key] * this.scale.perKwh;
          top -= height;
          return { tint, y: top, height };
        });
        return { ...day, x: 12 + index * 46, parts, down: Math.min(DEEP, (day.sold ?? 0) * this.scale.perKwh) };
      });
    },
    known() { return this.energy.days.some((day) => day.grid !== null || day.sold !== null); },
    hasSun() { return this.energy.days.some((day) => day.sun !== null); },
    reasons() { return [...new Set([...this.energy.rows, ...this.energy.shares].filter((row) => row.why).map((row) => row.why))]; },
  },
  template: `
    <div v-if="kiosk" class="strip"><span class="dim">Today</span>
      <span v-for="row in energy.rows.filter((one) => one.today !== '–').slice(0, 6)" :key="row.name"><b>{{ row.today }}</b> <span class="dim">{{ row.name.toLowerCase() }}</span></span>
      <span v-for="one in energy.shares.filter((one) => one.value !== null).slice(0, 2)" :key="one.name"><b>{{ one.words }}</b> <span class="dim">{{ one.name.toLowerCase() }}</span></span></div>
    <div v-else class="energy">
      <div>
        <table class="sums"><thead><tr><td></td><th scope="col">today</th><th scope="col">in total</th></tr></thead>
          <tbody><tr v-for="row in energy.rows" :key="row.name" :title="row.why"><th scope="row">{{ row.name }}<sup v-if="row.why" :aria-label="row.why">{{ reasons.indexOf(row.why) + 1 }}</sup></th><td>{{ row.today }}</td><td>{{ row.total }}</td></tr></tbody></table>
      </div>
      <div class="side">
        <ul class="shares"><li v-for="one in energy.shares" :key="one.name" :title="one.why"><span>{{ one.name }}<sup v-if="one.why" :aria-label="one.why">{{ reasons.indexOf(one.why) + 1 }}</sup></span><b>{{ one.words }}</b>
          <i class="share"><b :style="{ width: (one.value ?? 0) + '%' }"></b></i></li></ul>
        <template v-if="known"><h3>House by day, kWh</h3>
        <svg class="days" viewBox="0 0 376 184" role="img" :aria-label="energy.days.map((day) => day.words).join('; ')">
          <g v-for="day in bars" :key="day.name" :transform="'translate(' + day.x + ' 12)'"><title>{{ day.words }}</title>
            <rect class="back" y="0" :width="30" :height="${TALL}" />
            <rect v-for="part in day.parts" :key="part.tint" :class="part.tint" :y="part.y" :width="${WIDTH}" :height="part.height" />
            <rect v-if="day.down" class="sold" :y="${TALL + 2}" :width="${WIDTH}" :height="day.down" />
            <text x="15" y="168">{{ day.name }}</text></g>
          <text class="most" x="376" y="9">{{ scale.most.toFixed(1) }}</text>
        </svg>
        <p class="legend"><span v-if="hasSun"><i class="dot sun"></i>sun, at once</span><span><i class="dot battery"></i>battery</span><span><i class="dot grid"></i>grid</span><span><i class="dot sold"></i>sold</span></p></template>
        <p v-else class="dim">Bars of the days appear once a day has figures.</p>
      </div>
      <ol v-if="reasons.length || energy.missing" class="notes dim"><li v-if="energy.missing" class="plain">{{ energy.missing }}</li>
        <li v-for="(why, i) in reasons" :key="why"><sup>{{ i + 1 }}</sup> {{ why }}</li></ol>
    </div>`,
};
