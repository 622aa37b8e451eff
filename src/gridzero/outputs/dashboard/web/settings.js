// A form made of what gridzero says it has; it decides, and its answer is shown beside the field.
const LONGEST = 200;

const FieldEntry = {
  props: { field: Object, answer: Object },
  emits: ["ask"],
  data() { return { typed: null }; },
  computed: {
    now() { return this.typed ?? this.field.value; },
    changed() { return this.typed !== null && this.typed.trim() !== this.field.value; },
    busy() { return Boolean(this.answer?.busy); },
    isDefault() { return this.field.value === this.field.default; },
    range() {
      const { kind, low, high, step } = this.field;
      if (kind !== "number" || low === null || high === null) return "";
      return `${low} to ${high}${step ? `, in steps of ${step}` : ""}`;
    },
    shownDefault() { return this.plain(this.field.default) || "empty"; },
    place() { return this.field.kind === "moment" ? "none, or 2026-11-30T18:00:00Z" : ""; },
  },
  watch: {
    answer: { deep: true, handler(answer) { if (answer?.ok) this.typed = null; } },
  },
  template: `
    <form class="field" :data-key="field.key" @submit.prevent="send(now)">
      <label :for="'f-' + field.key">{{ field.title }}</label>
      <div class="entry" v-if="field.kind === 'switch'">
        <button type="button" :id="'f-' + field.key" class="switch" role="switch" :aria-checked="field.value === 'on' ? 'true' : 'false'" :aria-describedby="'d-' + field.key"
          :disabled="busy" @click="$emit('ask', field.key, field.value === 'on' ? 'off' : 'on')"><i></i></button>
        <span class="now">{{ field.value || "unknown" }}</span></div>
      <div class="entry" v-else>
        <select v-if="field.kind === 'choice'" :id="'f-' + field.key" :value="now" @change="typed = $event.target.value" :aria-describedby="'d-' + field.key">
          <option v-for="option in field.options" :key="option" :value="option">{{ plain(option) }}</option></select>
        <input v-else :id="'f-' + field.key" :value="now" @input="typed = $event.target.value" @keydown.esc="typed = null" :aria-describedby="'d-' + field.key" autocomplete="off"
          :inputmode="field.kind === 'number' && field.low >= 0 ? 'decimal' : 'text'" :placeholder="place" maxlength="${LONGEST}" :aria-invalid="answer && answer.ok === false ? 'true' : null">
        <span v-if="field.unit" class="unit">{{ field.unit }}</span>
        <button class="quiet" :class="{ main: changed }" :disabled="!changed || busy">Set</button>
      </div>
      <p v-if="answer?.text" class="answer" :class="answer.ok ? 'good' : 'warn'" role="status">{{ answer.text }}</p>
      <p class="dim" :id="'d-' + field.key">{{ field.text }}<template v-if="range">; {{ range }}</template></p>
      <p v-if="!isDefault" class="dim default">The file says {{ shownDefault }} <template v-if="field.default && field.unit">{{ field.unit }}</template>
        <button type="button" class="link" :disabled="busy" @click="send(field.default)" :aria-label="field.title + ' back to ' + shownDefault">back to it</button></p>
    </form>`,
  methods: {
    plain(value) { return value.replaceAll("_", " "); },
    send(value) { if (value.trim() !== this.field.value) this.$emit("ask", this.field.key, value.trim()); },
  },
};

export const SettingsPanel = {
  components: { FieldEntry },
  props: { settings: Object, answers: Object },
  emits: ["ask"],
  data() { return { given: {}, asking: null }; },
  template: `
    <p v-if="!settings.groups.length" class="dim">gridzero has not told its settings yet.</p>
    <fieldset v-for="group in settings.groups" :key="group.title"><legend>{{ group.title }}</legend>
      <div class="form"><field-entry v-for="field in group.fields" :key="field.key" :field="field" :answer="answers[field.key]" @ask="(key, value) => $emit('ask', key, value)" /></div></fieldset>
    <fieldset v-if="settings.actions.length"><legend>Actions</legend>
    <div class="form"><form v-for="action in settings.actions" :key="action.key" class="field" :data-key="action.key" @submit.prevent="order(action)">
      <label :for="'a-' + action.key">{{ action.title }}</label>
      <div class="entry"><input v-if="action.argument" :id="'a-' + action.key" v-model="given[action.key]" :placeholder="action.argument" maxlength="${LONGEST}" autocomplete="off">
        <button :id="action.argument ? null : 'a-' + action.key" class="quiet" :class="{ danger: action.dangerous }" :disabled="answers[action.key]?.busy">{{ action.dangerous ? "Do it …" : "Do it" }}</button></div>
      <p v-if="answers[action.key]?.text" class="answer" :class="answers[action.key].ok ? 'good' : 'warn'" role="status">{{ answers[action.key].text }}</p>
      <p class="dim">{{ action.text }}</p>
    </form></div></fieldset>
    <dialog v-if="asking" ref="box" class="box" aria-labelledby="sure" @close="asking = null">
      <h2 id="sure">{{ asking.title }}?</h2><p>{{ asking.text }}</p>
      <div class="row"><button class="quiet" autofocus @click="asking = null">Cancel</button>
        <button class="danger main" @click="go(asking)">Yes, {{ asking.title.toLowerCase() }}</button></div>
    </dialog>`,
  methods: {
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
