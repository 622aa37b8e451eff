// A form made of what gridzero says it has; it decides, and its answer is shown beside the field.
const asText = (field) => (field.kind === "switch" ? (field.value === true || field.value === "on" ? "on" : "off") : String(field.value ?? ""));

export const SettingsPanel = {
  props: { settings: Object, answers: Object },
  emits: ["ask"],
  data() { return { typed: {}, given: {}, asking: null }; },
  template: `
    <p v-if="!settings.fields.length" class="dim">gridzero has not told its settings yet.</p>
    <div class="form"><form v-for="field in settings.fields" :key="field.key" class="field" :data-key="field.key" @submit.prevent="send(field)">
      <label :for="'f-' + field.key">{{ field.title }}</label>
      <div class="entry">
        <select v-if="field.kind === 'choice'" :id="'f-' + field.key" :value="now(field)" @change="type(field, $event.target.value)" :aria-describedby="'d-' + field.key">
          <option v-for="option in field.options" :key="option" :value="option">{{ option.replaceAll("_", " ") }}</option></select>
        <select v-else-if="field.kind === 'switch'" :id="'f-' + field.key" :value="now(field)" @change="type(field, $event.target.value)" :aria-describedby="'d-' + field.key">
          <option value="on">on</option><option value="off">off</option></select>
        <input v-else :id="'f-' + field.key" :value="now(field)" @input="type(field, $event.target.value)" :aria-describedby="'d-' + field.key" autocomplete="off"
          :inputmode="field.kind === 'number' ? 'decimal' : 'text'" :placeholder="field.kind === 'moment' ? 'none, or 2026-11-30T18:00:00Z' : ''" maxlength="120">
        <span v-if="field.unit" class="unit">{{ field.unit }}</span>
        <button class="quiet" :class="{ main: changed(field) }" :disabled="!changed(field) || answers[field.key]?.busy">Set</button>
      </div>
      <p class="dim" :id="'d-' + field.key">{{ field.text }}<template v-if="field.kind === 'number' && field.low !== null">; {{ field.low }} to {{ field.high }}</template></p>
      <p v-if="answers[field.key]?.text" class="answer" :class="answers[field.key].ok ? 'good' : 'warn'" role="status">{{ answers[field.key].text }}</p>
    </form></div>
    <h3 v-if="settings.actions.length">Actions</h3>
    <div class="form"><form v-for="action in settings.actions" :key="action.key" class="field" :data-key="action.key" @submit.prevent="order(action)">
      <label :for="'a-' + action.key">{{ action.title }}</label>
      <div class="entry"><input v-if="action.argument" :id="'a-' + action.key" v-model="given[action.key]" :placeholder="action.argument" maxlength="120" autocomplete="off">
        <button class="quiet" :class="{ danger: action.dangerous }" :disabled="answers[action.key]?.busy">{{ action.dangerous ? "Do it …" : "Do it" }}</button></div>
      <p class="dim">{{ action.text }}</p>
      <p v-if="answers[action.key]?.text" class="answer" :class="answers[action.key].ok ? 'good' : 'warn'" role="status">{{ answers[action.key].text }}</p>
    </form></div>
    <dialog v-if="asking" ref="box" class="box" aria-labelledby="sure" @close="asking = null">
      <h2 id="sure">{{ asking.title }}?</h2><p>{{ asking.text }}</p>
      <div class="row"><button class="quiet" autofocus @click="asking = null">Cancel</button>
        <button class="danger main" @click="go(asking)">Yes, {{ asking.title.toLowerCase() }}</button></div>
    </dialog>`,
  watch: {
    answers: { deep: true, handler(answers) { for (const [key, one] of Object.entries(answers)) if (one.ok) delete this.typed[key]; } },
  },
  methods: {
    now(field) { return this.typed[field.key] ?? asText(field); },
    type(field, value) { this.typed[field.key] = value; },
    changed(field) { return field.key in this.typed && this.typed[field.key] !== asText(field); },
    send(field) { if (this.changed(field)) this.$emit("ask", field.key, this.typed[field.key].trim()); },
    order(action) {
      if (!action.dangerous) return this.go(action);
      this.asking = action;
      this.$nextTick(() => this.$refs.box.showModal());
    },
    go(action) {
      this.asking = null;
      this.$emit("ask", action.key, (this.given[action.key] ?? "").trim());
    },
  },
};
