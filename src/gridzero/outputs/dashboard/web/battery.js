// State of charge with its error bar, the rest as rows of words.
export const BatteryPanel = {
  props: { battery: Object, kiosk: Boolean },
  template: `
    <div class="gauge" role="img" :aria-label="'State of charge ' + battery.soc_words">
      <div class="big">{{ battery.soc_words }}</div>
      <div class="outlook">{{ battery.outlook || " " }}</div>
      <div class="bar">
        <div class="fill" :style="{ width: (battery.soc ?? 0) + '%' }"></div>
        <div v-if="battery.low !== null" class="error" :style="{ left: battery.low + '%', width: (battery.high - battery.low) + '%' }"></div>
      </div>
      <div class="scale"><span>0</span><span>50</span><span>100 %</span></div>
    </div>
    <dl class="facts"><template v-for="row in (kiosk ? battery.rows.slice(0, 9) : battery.rows)" :key="row.name"><dt>{{ row.name }}</dt><dd>{{ row.value }}</dd></template></dl>`,
};
