// Words that never change. Python keeps them, one module for each tab, and sends them once; a place
// in braces is filled in on the page.

export interface PlotTexts {
  readonly loading: string;
  readonly not_started: string;
  readonly not_drawn: string;
  readonly unknown_type: string;
  readonly approximate: string;
  readonly largest: string;
  readonly key: string;
  readonly query: string;
  readonly weight: string;
  readonly see_all: string;
}

export interface HeaderTexts {
  readonly name: string;
  readonly tabs: string;
  readonly model: string;
  readonly other_model: string;
  readonly model_input: string;
  readonly model_placeholder: string;
  readonly copy: string;
  readonly copy_title: string;
  readonly copied: string;
  readonly link: string;
  readonly link_title: string;
  readonly link_copied: string;
  readonly link_without_code: string;
  readonly save: string;
  readonly save_title: string;
  readonly saved: string;
  readonly save_table: string;
  readonly save_html: string;
  readonly save_png: string;
  readonly save_traces: string;
  readonly save_settings: string;
  readonly help: string;
  readonly help_title: string;
  readonly reading: string;
  readonly reading_text: string;
  readonly keys: string;
  /** Key and what it does. */
  readonly keys_list: readonly (readonly string[])[];
  readonly caution: string;
  readonly gone: string;
}

export interface ToolbarTexts {
  readonly threshold: string;
  readonly threshold_typed: string;
  readonly reachable: string;
  readonly scale: string;
  readonly log: string;
  readonly log_title: string;
  readonly linear: string;
  readonly linear_title: string;
  readonly auto: string;
  readonly auto_title: string;
  readonly view: string;
  readonly view_title: string;
  readonly axis: string;
  readonly hide: string;
  readonly score: string;
  readonly reduction: string;
  readonly reduction_title: string;
  readonly normalised: string;
  readonly normalisation: string;
  readonly normalisation_title: string;
  readonly overridden: string;
  readonly units: string;
  readonly units_title: string;
  readonly order: string;
  readonly order_title: string;
  readonly colours: string;
  readonly colour_scale: string;
  readonly colour_scale_title: string;
  readonly colour_range: string;
  readonly colour_range_title: string;
  readonly scaling: string;
  readonly scaling_title: string;
  readonly hide_special: string;
  readonly hide_special_title: string;
  readonly hide_sink: string;
  readonly hide_sink_title: string;
  readonly verdicts: string;
}

export interface HeadSelectorTexts {
  readonly layer: string;
  readonly head: string;
  readonly mean: string;
  readonly layer_mean: string;
  readonly head_mean: string;
  readonly previous_layer: string;
  readonly next_layer: string;
  readonly previous_head: string;
  readonly next_head: string;
  readonly overridden: string;
  readonly remove_set: string;
  readonly remove_set_title: string;
  readonly grid: string;
  readonly grid_role: string;
  readonly grid_label: string;
  readonly grid_caption: string;
  readonly measure_title: string;
  readonly layer_axis: string;
  readonly head_axis: string;
}

export interface StatusTexts {
  readonly cancel: string;
  readonly dismiss: string;
  readonly dismiss_label: string;
}

export interface CodeTextTexts {
  readonly code: string;
  readonly examples: string;
  readonly examples_title: string;
  readonly direction: string;
  readonly row: string;
  readonly row_title: string;
  readonly column: string;
  readonly column_title: string;
  readonly edit: string;
  readonly back: string;
  readonly run: string;
  readonly run_title: string;
  readonly editor: string;
  readonly live_title: string;
  readonly placeholder: string;
  readonly tokens: string;
  readonly language: string;
  readonly language_title: string;
  readonly earlier: string;
  readonly later: string;
  readonly how: string;
  readonly how_dismiss: string;
  readonly grip: string;
  readonly find: string;
  readonly find_title: string;
  /** {n}, {of}. */
  readonly found: string;
  readonly wrap: string;
  readonly wrap_title: string;
}

export interface TraceFileTexts {
  readonly load: string;
  readonly load_title: string;
  readonly file: string;
  readonly path: string;
  readonly path_placeholder: string;
  readonly examples: string;
  readonly examples_title: string;
  readonly uploading: string;
  readonly opening: string;
  readonly format: string;
  readonly format_title: string;
  readonly try_format: string;
  readonly try_format_title: string;
  readonly choose_format: string;
  readonly save_labels: string;
  readonly save_labels_title: string;
  readonly write_labels: string;
  readonly write_labels_placeholder: string;
  readonly dismiss: string;
  readonly problem_line: string;
}

export interface TraceSettingsTexts {
  readonly label: string;
}

export interface TraceCardsTexts {
  readonly trace: string;
  readonly trace_label: string;
  readonly number: string;
  readonly of: string;
  readonly previous: string;
  readonly next: string;
  readonly view: string;
  readonly cards: string;
  readonly cards_title: string;
  readonly text: string;
  readonly text_title: string;
  readonly question: string;
  readonly no_question: string;
  readonly answer: string;
  readonly no_answer: string;
  readonly evidence: string;
  readonly empty: string;
  readonly no_text: string;
  readonly shared: string;
  readonly filter: string;
  readonly all: string;
  readonly all_title: string;
  readonly unlabelled: string;
  readonly unlabelled_title: string;
  readonly doubtful: string;
  readonly doubtful_title: string;
  readonly search: string;
  readonly search_placeholder: string;
  readonly none: string;
  readonly range: string;
  readonly earlier: string;
  readonly later: string;
  readonly next_unlabelled: string;
  readonly next_unlabelled_title: string;
  readonly keys: string;
  readonly more: string;
  readonly less: string;
  readonly used: string;
  readonly not_used: string;
  readonly label: string;
  readonly label_as: string;
  readonly labelled: string;
  readonly labelled_title: string;
  readonly fact_title: string;
}

export interface MethodsTexts {
  readonly title: string;
  readonly label: string;
  readonly compare: string;
  readonly compare_title: string;
}

export interface WeightsTexts {
  readonly view: string;
  readonly entities: string;
  readonly entities_title: string;
  readonly weights: string;
  readonly weights_title: string;
  readonly update: string;
  readonly strategy: string;
  readonly strategy_title: string;
  readonly cancel: string;
}

export interface AnswerTexts {
  readonly label: string;
  readonly objective: string;
  readonly objective_label: string;
  readonly figures: string;
  readonly undo_title: string;
}

export interface FiguresTexts {
  readonly methods: string;
  readonly methods_label: string;
  readonly truth: string;
  readonly truth_label: string;
  readonly least_drop: string;
  readonly least_drop_label: string;
  readonly least_drop_title: string;
  readonly label_in_traces: string;
  readonly label_in_traces_title: string;
  readonly counts: string;
  readonly called_used: string;
  readonly called_not_used: string;
  readonly figures: string;
  readonly interval: string;
  readonly recommend: string;
  readonly recommend_title: string;
  readonly cancel: string;
  readonly cancel_recommend_title: string;
  readonly export: string;
  readonly json: string;
  readonly json_title: string;
  readonly python: string;
  readonly python_title: string;
  readonly report: string;
  readonly report_title: string;
  readonly take: string;
  readonly take_title: string;
  readonly go_back: string;
  readonly go_back_title: string;
  readonly export_recommended: string;
  readonly recommended_json_title: string;
  readonly recommended_python_title: string;
  readonly read_again: string;
  readonly read_again_title: string;
  readonly stop_reading_title: string;
}

export interface QuestionsTexts {
  readonly title: string;
  readonly list: string;
  readonly open_title: string;
}

export interface CallChangesTexts {
  readonly between: string;
  readonly and: string;
  readonly reference: string;
  readonly reference_title: string;
  readonly here: string;
  readonly here_title: string;
}

export interface BaselinesTexts {
  readonly title: string;
  readonly embed: string;
  readonly embed_title: string;
}

export interface AgreementTexts {
  readonly title: string;
  readonly label: string;
  readonly embed: string;
  readonly embed_title: string;
  readonly explanation: string;
}

export interface HeadQualityTexts {
  readonly title: string;
  readonly label: string;
}

export interface WeightMovesTexts {
  readonly title: string;
  readonly label: string;
}
