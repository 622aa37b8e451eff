// What stands and what to do about it; what happened.
export const FaultsPanel = {
  props: { faults: Array, kiosk: Boolean, answers: Object },
  emits: ["ask"],
  computed: { latched() { return this.faults.filter((fault) => fault.latched).length; } },
  template: `
    <p v-if="!faults.length" class="fine"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 12.5l5 5 11-11" /></svg>No fault stands.</p>
    <ul class="faults"><li v-for="fault in faults" :key="fault.acknowledge" :class="[fault.level, { latched: fault.latched }]">
      <div class="what"><span class="tag level">{{ fault.level || "fault" }}</span><strong>{{ fault.title }}</strong> <span>{{ fault.subject }}</span>
        <p>{{ fault.text }}</p><p class="remedy">{{ fault.remedy }}</p></div>
      <button v-if="fault.latched && !kiosk" class="main" @click="$emit('ask', 'acknowledge', fault.acknowledge)">Acknowledge</button>
    </li></ul>
    <div v-if="(latched || answers.acknowledge?.text) && !kiosk" class="row"><button v-if="latched" class="quiet ack-all" @click="$emit('ask', 'acknowledge', 'all')">Acknowledge all</button>
      <span v-if="latched" class="dim">Ends those whose cause is gone; {{ latched }} {{ latched === 1 ? "waits" : "wait" }} for it.</span>
      <span v-if="answers.acknowledge?.text" role="status" :class="answers.acknowledge.ok ? 'good' : 'warn'">{{ answers.acknowledge.text }}</span></div>`,
};

export const EventsPanel = {
  props: { events: Array },
  template: `
    <p v-if="!events.length" class="dim">Nothing was told in the last week.</p>
    <ol class="events"><li v-for="(event, i) in events" :key="i" :class="event.severity">
      <time>{{ event.ago }}</time><div><strong>{{ event.title }}</strong> {{ event.subject }} <span class="dim">{{ event.way }}</span><p>{{ event.text }}</p></div></li></ol>`,
};
