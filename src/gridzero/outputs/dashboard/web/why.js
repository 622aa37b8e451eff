// Why the battery does what it does, and what the error of the grid was put down to.
export const WhyPanel = {
  props: { why: Object, kiosk: Boolean },
  template: `
    <p class="say">{{ why.because }} <span v-for="mark in why.marks" :key="mark" class="tag">{{ mark }}</span></p>
    <dl class="facts">
      <dt>Mode</dt><dd>{{ why.mode }}</dd>
      <dt v-if="!kiosk">Strategy</dt><dd v-if="!kiosk">{{ why.strategy }} <span class="dim">{{ why.plan }}</span></dd>
      <dt>Set-point</dt><dd>{{ why.setpoint }} <span class="dim">wanted {{ why.wish }}</span></dd>
      <dt v-if="!kiosk">Grid target</dt><dd v-if="!kiosk">{{ why.target }} <span v-if="why.lean" class="dim">{{ why.lean }}</span></dd>
      <template v-for="limit in why.limits" :key="limit.way">
        <dt>May {{ limit.way }}</dt><dd>{{ limit.value }} <span class="dim">{{ limit.because }}</span></dd></template>
    </dl>
    <ul class="units"><li v-for="unit in why.units" :key="unit.kind + unit.name">
      <strong>{{ unit.name }}</strong><span class="tag" :class="unit.state">{{ unit.state }}</span>
      <span>{{ unit.power }}</span><span class="dim">{{ unit.temp }}</span>
      <span v-if="unit.why_not" class="dim note">{{ unit.why_not }}</span></li></ul>`,
};

export const ScorePanel = {
  props: { score: Object },
  template: `
    <table class="score"><thead><tr><td></td><th v-for="one in score.columns" :key="one.span" scope="col">{{ one.span }}</th></tr></thead>
      <tbody><tr v-for="[name, key] in rows" :key="key"><th scope="row">{{ name }}</th><td v-for="one in score.columns" :key="one.span">{{ one[key] }}</td></tr></tbody></table>
    <h3>Watt-seconds of error, last day</h3>
    <p v-if="!score.causes.length" class="dim">Nothing has been counted yet.</p>
    <ul class="causes"><li v-for="cause in score.causes" :key="cause.code" :title="cause.text">
      <span class="label">{{ cause.code }}</span><span class="ws">{{ cause.ws }} Ws</span>
      <i class="share"><b :style="{ width: cause.share + '%' }"></b></i><span class="dim text">{{ cause.text }}</span></li></ul>`,
  data() {
    return { rows: [["Mean error", "mean"], ["RMS", "rms"], ["Steps settle in", "settle"], ["Bought", "bought"], ["Sold", "sold"], ["Held", "held"], ["Starts", "starts"]] };
  },
};
