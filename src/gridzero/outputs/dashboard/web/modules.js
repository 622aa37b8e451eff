// A row for each module, and what a person should look after.
const COLUMNS = [["Charge", "charge"], ["Capacity", "capacity"], ["Resistance", "resistance"], ["Temperature", "temp"], ["Current", "current"], ["Share", "share"]];

export const ModulesPanel = {
  props: { modules: Object },
  data() { return { columns: COLUMNS }; },
  template: `
    <p v-if="!modules.rows.length" class="dim">No module is known yet.</p>
    <table v-else class="modules"><thead><tr><th scope="col">Module</th><th v-for="[title] in columns" :key="title" scope="col">{{ title }}</th><th scope="col" class="words">Balancing</th></tr></thead>
      <tbody><tr v-for="row in modules.rows" :key="row.name"><th scope="row">{{ row.name }}</th>
        <td v-for="[title, key] in columns" :key="title" :data-title="title">{{ row[key] }}</td>
        <td class="words" data-title="Balancing"><span v-if="row.bleeding" class="tag">{{ row.bleeding }} bleeding</span> {{ row.balancing }} <span class="dim">{{ row.left }}</span></td></tr></tbody></table>`,
};

export const CarePanel = {
  props: { care: Object },
  template: `
    <dl class="facts"><template v-for="row in care.rows" :key="row.name"><dt>{{ row.name }}</dt><dd :class="{ warn: row.name === 'Full charge' && care.due }">{{ row.value }}</dd></template></dl>
    <h3>Maintenance</h3>
    <p v-if="!care.tasks.length" class="dim">{{ care.known ? "Nothing is to be done." : "Not told yet." }}</p>
    <ol class="tasks"><li v-for="one in care.tasks" :key="one.what + one.subject"><span class="tag" :class="one.urgency">{{ one.urgency }}</span>
      <strong>{{ one.subject }}</strong> {{ one.what }} <span class="dim">{{ one.sure }}</span>
      <details><summary>why, and what to do</summary><p>{{ one.why }}</p><p class="dim">{{ one.remedy }}</p></details></li></ol>`,
};
