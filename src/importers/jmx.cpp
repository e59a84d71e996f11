#include "importers/jmx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "base/units.hpp"
#include "importers/plan_document.hpp"
#include "workload/placeholders.hpp"

namespace headroom::importers {
namespace {

using base::Milliseconds;
using workload::Request;

constexpr std::size_t kTextBytes = std::size_t{1} << 20;  // of one text, after variables are put in
constexpr double kTimesMost = 1e9;                        // requests of a user, as in a traffic file
// What no plan that people write comes near to; it keeps the cost of a hostile one low.
constexpr std::size_t kFaultsShown = 20;
constexpr std::size_t kScopeMost = 50;
constexpr std::size_t kHeadersMost = 100;
constexpr std::size_t kRequestsMost = 10'000;
constexpr std::size_t kRequestsBytes = std::size_t{16} << 20;
constexpr std::size_t kPutInBytes = std::size_t{256} << 20;  // by all variables together
constexpr int kUsersMost = 10'000'000;
constexpr double kPauseMostMs = 365.0 * 86'400'000;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool is_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string without_controls(std::string_view text) {
  std::string result(text);
  std::erase_if(result, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return result;
}

// Every byte for which `stays` is false as %XX; `${name}` stays, for its value comes later.
template <class Stays>
std::string percent_encoded(std::string_view text, Stays stays) {
  std::string result;
  for (const workload::TextPart& part : workload::parts_of(text)) {
    if (part.is_name) {
      result += "${" + part.text + "}";
      continue;
    }
    for (const char c : part.text) {
      if (stays(c)) {
        result += c;
      } else {
        result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
      }
    }
  }
  return result;
}

std::string form_encoded(std::string_view text) {
  std::string result = percent_encoded(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
           std::string_view("-._*").find(c) != std::string_view::npos;
  });
  std::replace(result.begin(), result.end(), ' ', '+');
  return result;
}

// The pause before a request: the sum of all timers in whose scope it stands.
struct Pause {
  double least_ms = 0;  // constants and the delays of random timers
  double range_ms = 0;  // of even ones
  int even = 0;
  double variance_ms2 = 0;  // of normal ones
  int normal = 0;

  bool operator==(const Pause&) const = default;
  double mean_ms() const { return least_ms + range_ms / 2; }
};

// A request that stands in the sequence of a thread group `times` in a row.
struct Turn {
  std::size_t request = 0;  // in the table of requests
  double times = 1;
  Pause pause;
};

// What a user does in one round.
struct Sequence {
  std::vector<Turn> turns;
  bool in_order = true;  // false: only how often each is sent is known
  bool endless = false;  // a loop in it never ends

  double count() const {
    double sum = 0;
    for (const Turn& turn : turns) sum += turn.times;
    return sum;
  }
};

struct Group {
  workload::ClosedStage stage;
  Milliseconds delay{0};
  Sequence sequence;
  double sent = 0;  // by all its users; where that is not known, in proportion to their number
  const Element* element = nullptr;
};

// What stands above a sampler, from the outermost level to the innermost.
struct Scope {
  std::vector<const Element*> timers;
  std::vector<const Element*> headers;
  std::vector<const Element*> defaults;
};

class Plan {
 public:
  Plan(const std::vector<Element>& top, std::string file) : top_(top), file_(std::move(file)) {}

  base::Result<Imported> import() {
    collect_variables(top_);
    Scope scope;
    visit_plan(top_, scope);
    if (faults_.empty() && groups_.empty()) {
      faults_.push_back({{file_, 1, 0}, "no thread group of the plan sends HTTP requests", why_nothing()});
    }
    if (!faults_.empty()) {
      std::stable_sort(faults_.begin(), faults_.end(), [](const base::Fault& a, const base::Fault& b) {
        return a.place.line < b.place.line;
      });
      return base::Error{base::ErrorKind::bad_input, faults_};
    }
    finish();
    return std::move(imported_);
  }

 private:
  void note(NoteKind kind, const Element& element, const std::string& what) {
    // Notes go to terminals, and what is told in them comes out of the plan.
    imported_.notes.push_back({kind, element.line, element.type, element.name, without_controls(what)});
  }
  // Said once, where it is first met.
  void note_once(NoteKind kind, const Element& element, const std::string& what) {
    if (said_.insert(what).second) note(kind, element, what);
  }
  void fault(int line, std::string what, std::string fix = {}) {
    if (faults_.size() < kFaultsShown) faults_.push_back({{file_, line, 0}, std::move(what), std::move(fix)});
  }

  // ---- values ----

  // The text with variables and properties in it replaced by their values.
  std::string substituted(std::string_view text, const Element& element) {
    std::string result;
    while (!text.empty()) {
      const std::size_t begin = text.find("${");
      const std::size_t end = begin == std::string_view::npos ? begin : text.find('}', begin);
      if (end == std::string_view::npos) break;
      result += text.substr(0, begin);
      const std::string_view whole = text.substr(begin, end + 1 - begin);
      const std::string put_in = value_of(whole.substr(2, whole.size() - 3), whole, element);
      result += put_in;
      put_in_ += put_in.size();
      text.remove_prefix(end + 1);
      if (result.size() > kTextBytes || put_in_ > kPutInBytes) {
        fault(element.line,
              fmt::format("the values of variables make a text of more than {} bytes", kTextBytes));
        return {};
      }
    }
    return result += text;
  }

  std::string value_of(std::string_view name, std::string_view whole, const Element& element) {
    if (const auto found = variables_.find(name); found != variables_.end()) return found->second;
    if (!name.starts_with("__")) return std::string(whole);
    // ${__P(users,10)} and ${__property(users,,10)}: what is not given on JMeter's command line has a
    // default.
    for (const auto& [function, commas] : {std::pair<std::string_view, int>{"__P(", 1}, {"__property(", 2}}) {
      if (!name.starts_with(function) || !name.ends_with(')')) continue;
      const std::string_view arguments = name.substr(function.size(), name.size() - function.size() - 1);
      std::size_t at = 0;
      for (int i = 0; i < commas && at != std::string_view::npos; ++i) {
        at = arguments.find(',', at);
        if (at != std::string_view::npos) ++at;
      }
      if (at == std::string_view::npos && commas == 2) break;
      std::string value(at == std::string_view::npos ? "1" : arguments.substr(at));
      note_once(
          NoteKind::told, element,
          fmt::format("the property {} has its default {}",
                      base::in_quotes(arguments.substr(0, arguments.find(','))), base::in_quotes(value)));
      return value;
    }
    note_once(
        NoteKind::left_out, element,
        fmt::format("the function {} is not called; it is sent as it is written", base::in_quotes(whole)));
    return std::string(whole);
  }

  std::string value(const Element& element, std::string_view property) {
    const Property* found = element.properties.find(property);
    return found == nullptr ? std::string() : substituted(found->text, element);
  }
  bool flag(const Element& element, std::string_view property) {
    return trimmed(value(element, property)) == "true";
  }

  int line_of(const Element& element, std::string_view property) const {
    const Property* found = element.properties.find(property);
    return found == nullptr ? element.line : found->line;
  }

  // A number of a plan; empty: `missing`. A fault where it is none or outside of 0 to `most`.
  double number(const std::string& text, double missing, double most, int line, const std::string& what) {
    const std::string_view written = trimmed(text);
    if (written.empty()) return missing;
    const auto parsed = base::parse_number(written);
    if (parsed && *parsed >= 0 && *parsed <= most) return *parsed;
    fault(
        line,
        fmt::format("expected {}: a number from 0 to {:.0f}, found {}", what, most, base::in_quotes(written)),
        contains(written, "${") ? "give the variable a value in the plan (user-defined variables)" : "");
    return missing;
  }

  Milliseconds seconds(const Element& element, std::string_view property, const std::string& what) {
    const double value_s =
        number(value(element, property), 0, kPauseMostMs / 1000, line_of(element, property), what);
    return Milliseconds{std::llround(value_s * 1000)};
  }

  // User-defined variables hold everywhere, whatever stands where they are defined.
  void collect_variables(const std::vector<Element>& elements) {
    for (const Element& element : elements) {
      if (!element.enabled) continue;
      if (const Property* own = element.properties.find("TestPlan.user_defined_variables"))
        collect_arguments(*own, element);
      if (element.type == "Arguments") collect_arguments(element.properties, element);
      if (element.type == "UserParameters") collect_user_parameters(element);
      if (element.type == "CSVDataSet") collect_data_set(element);
      collect_variables(element.children);
    }
  }

  void collect_arguments(const Property& arguments, const Element& element) {
    const Property* list = arguments.find("Arguments.arguments");
    if (list == nullptr) return;
    for (const Property& argument : list->items) {
      const Property* name = argument.find("Argument.name");
      const Property* text = argument.find("Argument.value");
      if (name == nullptr || trimmed(name->text).empty()) continue;
      variables_[std::string(trimmed(name->text))] =
          substituted(text == nullptr ? std::string_view() : std::string_view(text->text), element);
    }
  }

  void collect_user_parameters(const Element& element) {
    const Property* names = element.properties.find("UserParameters.names");
    const Property* users = element.properties.find("UserParameters.thread_values");
    if (names == nullptr || users == nullptr || users->items.empty()) return;
    const std::vector<Property>& values = users->items.front().items;
    for (std::size_t i = 0; i < names->items.size() && i < values.size(); ++i) {
      variables_[std::string(trimmed(names->items[i].text))] = substituted(values[i].text, element);
    }
    if (users->items.size() > 1) {
      note(NoteKind::changed, element,
           fmt::format(
               "each user has values of its own ({} users are listed); all take those of the first: write a "
               "CSV and name it under variables",
               users->items.size()));
    }
  }

  void collect_data_set(const Element& element) {
    workload::Variables set;
    set.file = value(element, "filename");
    std::replace(set.file.begin(), set.file.end(), '\\', '/');
    if (set.file.empty()) {
      note(NoteKind::left_out, element, "it names no file");
      return;
    }
    const std::string names = value(element, "variableNames");
    for (std::size_t at = 0; at <= names.size() && !names.empty();) {
      const std::size_t end = std::min(names.find(',', at), names.size());
      set.names.emplace_back(trimmed(std::string_view(names).substr(at, end - at)));
      at = end + 1;
    }
    if (names.empty()) {
      heading_unknown_ = true;
    } else if (flag(element, "ignoreFirstLine")) {
      note(NoteKind::told, element,
           fmt::format("the first row of {} must read {}", base::in_quotes(set.file), names));
    } else {
      note(NoteKind::changed, element,
           fmt::format("{} needs a first row with the names of its columns: {}", base::in_quotes(set.file),
                       names));
    }
    const Property* recycle = element.properties.find("recycle");
    if (recycle != nullptr && recycle->text == "false")
      note(NoteKind::changed, element, "after the last row comes the first again; no user stops there");
    for (const std::string& name : set.names) data_names_.insert(name);
    const auto same = [&](const workload::Variables& other) { return other.file == set.file; };
    auto& all = imported_.traffic.requests.variables;
    if (std::none_of(all.begin(), all.end(), same)) all.push_back(std::move(set));
  }

  // ---- the tree ----

  void visit_plan(const std::vector<Element>& elements, const Scope& outer) {
    const Scope scope = extended(outer, elements);
    for (const Element& element : elements) {
      if (!is_enabled(element) || is_of_scope(element)) continue;
      if (element.type == "TestPlan") {
        serial_ = flag(element, "TestPlan.serialize_threadgroups");
        visit_plan(element.children, scope);
      } else if (element.type == "ThreadGroup") {
        visit_group(element, scope);
      } else {
        leave_out(element);
      }
    }
  }

  bool is_enabled(const Element& element) {
    if (!element.enabled) note(NoteKind::disabled, element, "it is switched off in the plan");
    return element.enabled;
  }

  static bool is_defaults(const Element& element) {
    if (element.type != "ConfigTestElement") return false;
    if (element.properties.find("HTTPsampler.Arguments") != nullptr) return true;
    return std::any_of(element.properties.items.begin(), element.properties.items.end(),
                       [](const Property& property) { return property.name.starts_with("HTTPSampler."); });
  }

  // What acts on others rather than by itself; Scope and the variables hold it.
  static bool is_of_scope(const Element& element) {
    return is_any(element.type, {"ConstantTimer", "UniformRandomTimer", "GaussianRandomTimer",
                                 "HeaderManager", "Arguments", "UserParameters", "CSVDataSet"}) ||
           is_defaults(element);
  }

  // Elements of a level apply to all of that level and below, wherever among them they stand.
  Scope extended(Scope scope, const std::vector<Element>& level) {
    for (const Element& element : level) {
      if (scope.timers.size() + scope.headers.size() + scope.defaults.size() > kScopeMost) {
        fault(element.line,
              fmt::format("more than {} timers, headers and defaults apply to one request", kScopeMost));
        return {};
      }
      if (!element.enabled) continue;
      if (is_any(element.type, {"ConstantTimer", "UniformRandomTimer", "GaussianRandomTimer"}))
        scope.timers.push_back(&element);
      if (element.type == "HeaderManager") scope.headers.push_back(&element);
      if (is_defaults(element)) scope.defaults.push_back(&element);
    }
    return scope;
  }

  void leave_out(const Element& element) {
    const std::string_view type = element.type;
    std::string why = "it is not understood";
    if (contains(type, "Assertion")) {
      why = "assertions are not checked: an answer is good by its status";
    } else if (is_any(type, {"ResultCollector", "Summariser"}) || contains(type, "Listener") ||
               contains(type, "Visualizer")) {
      why = "listeners are not needed: the load generator keeps its own figures";
    } else if (contains(type, "BeanShell") || contains(type, "JSR223") || contains(type, "BSF")) {
      why = "scripts are not run";
    } else if (contains(type, "Extractor") || contains(type, "PostProcessor")) {
      why = "values are not taken out of answers";
    } else if (is_any(type, {"CookieManager", "CacheManager", "AuthManager"})) {
      why = "cookies, caches and logins are not kept: write a header instead";
    } else if (contains(type, "Timer")) {
      why = "this kind of timer is not known: its pauses are missing";
    } else if (contains(type, "ThreadGroup")) {
      why = "this kind of thread group is not known";
    } else if (contains(type, "Sampler")) {
      why = is_sampler(element) ? "it stands outside of a thread group" : "only HTTP requests are sent";
    } else if (is_any(type, {"TestAction"})) {
      why = "its pause is missing: pauses are those of timers";
    } else if (contains(type, "Controller")) {
      why = "what it refers to is not followed";
    }
    note(NoteKind::left_out, element, why);
    leave_out_below(element, 0);
  }

  // What goes with it is listed as well, as far as anyone reads.
  void leave_out_below(const Element& element, int depth) {
    constexpr int kListed = 3;
    if (depth >= kListed) return;
    for (const Element& child : element.children) {
      note(child.enabled ? NoteKind::left_out : NoteKind::disabled, child,
           fmt::format("it stands in {} {}", element.type, base::in_quotes(element.name)));
      leave_out_below(child, depth + 1);
    }
  }

  // ---- thread groups ----

  void visit_group(const Element& element, const Scope& outer) {
    Group group;
    group.element = &element;
    workload::ClosedStage& stage = group.stage;
    const double users = number(value(element, "ThreadGroup.num_threads"), 1, kUsersMost,
                                line_of(element, "ThreadGroup.num_threads"), "the number of threads");
    stage.users = static_cast<int>(users);
    stage.ramp_up = seconds(element, "ThreadGroup.ramp_time", "the ramp-up time in seconds");
    // Duration and delay count only where the scheduler is on, whatever is written.
    if (flag(element, "ThreadGroup.scheduler")) {
      const Milliseconds lasts = seconds(element, "ThreadGroup.duration", "the duration in seconds");
      if (lasts > Milliseconds{0}) {
        stage.duration = lasts;
      } else {
        note(NoteKind::left_out, element,
             "start and end times by the clock do not count, and no duration is written");
      }
      group.delay = seconds(element, "ThreadGroup.delay", "the delay in seconds");
    }
    double loops = 1;
    bool endless = false;
    if (const Property* main = element.properties.find("ThreadGroup.main_controller")) {
      const Property* written = main->find("LoopController.loops");
      const Property* forever = main->find("LoopController.continue_forever");
      const std::string text = written == nullptr ? std::string() : substituted(written->text, element);
      endless = trimmed(text) == "-1" ||
                (forever != nullptr && trimmed(substituted(forever->text, element)) == "true");
      if (!endless)
        loops = number(text, 1, kTimesMost, written == nullptr ? element.line : written->line, "the loops");
    }
    if (const std::string on_error = value(element, "ThreadGroup.on_sample_error");
        !on_error.empty() && on_error != "continue") {
      note(NoteKind::changed, element,
           fmt::format("after a failed request its user goes on; the plan says {}",
                       base::in_quotes(on_error)));
    }
    group.sequence = visit_sequence(element.children, outer);
    if (!faults_.empty()) return;
    if (group.sequence.turns.empty() || stage.users == 0 || loops == 0) {
      note(NoteKind::left_out, element,
           stage.users == 0 ? "it has no threads"
           : loops == 0     ? "it loops 0 times"
                            : "it sends no HTTP requests");
      return;
    }
    endless = endless || group.sequence.endless;
    if (endless && !stage.duration) {
      stage.duration = Milliseconds{3'600'000};
      note(NoteKind::changed, element, "it goes on until somebody stops it; `for: 1h` stands for that");
    }
    const double count = endless ? group.sequence.count() : std::floor(loops) * group.sequence.count();
    if (!endless && count > kTimesMost) {
      fault(element.line, fmt::format("each user sends {:.0f} requests, more than the {:.0f} of a stage",
                                      count, kTimesMost));
      return;
    }
    stage.requests_each = endless ? 0 : static_cast<int>(count);
    group.sent = stage.users * count;
    check_ramp_up(group);
    set_pause(group);
    groups_.push_back(std::move(group));
  }

  void check_ramp_up(Group& group) {
    workload::ClosedStage& stage = group.stage;
    if (!stage.duration || stage.ramp_up <= *stage.duration) return;
    // User k starts at ramp_up * k / users: those of the first `share` of them.
    const double share = base::seconds(*stage.duration) / base::seconds(stage.ramp_up);
    const int started = std::max(1, static_cast<int>(std::ceil(stage.users * share)));
    note(NoteKind::changed, *group.element,
         fmt::format("{} of its {} threads would start only after its end; they are left out",
                     stage.users - started, stage.users));
    stage.users = started;
    stage.ramp_up = *stage.duration;
  }

  // The pause of the stage: one for all of its requests.
  void set_pause(Group& group) {
    const std::vector<Turn>& turns = group.sequence.turns;
    Pause pause = turns.front().pause;
    if (std::any_of(turns.begin(), turns.end(), [&](const Turn& turn) { return !(turn.pause == pause); })) {
      double sum = 0;
      for (const Turn& turn : turns) sum += turn.times * turn.pause.mean_ms();
      pause = Pause{sum / group.sequence.count(), 0, 0, 0, 0};
      note(NoteKind::changed, *group.element,
           fmt::format("its requests wait differently; a stage has one pause: the mean of theirs, {:.0f} ms",
                       pause.least_ms));
    }
    if (pause.even + pause.normal > 1 && pause.even > 0) {
      note(NoteKind::changed, *group.element,
           fmt::format("the sum of {} random timers is taken for one {} pause", pause.even + pause.normal,
                       pause.normal > 0 ? "normal" : "uniform"));
    }
    const auto ms = [](double value) { return Milliseconds{std::llround(value)}; };
    workload::ClosedStage& stage = group.stage;
    // The variance of an even distribution is the square of its range over twelve.
    const double deviation =
        std::sqrt(pause.variance_ms2 + (pause.normal > 0 ? pause.range_ms * pause.range_ms / 12 : 0));
    if (pause.normal > 0 && ms(deviation) > Milliseconds{0}) {
      stage.think = ms(pause.mean_ms());
      stage.deviation = ms(deviation);
      stage.think_distribution = workload::Think::normal;
    } else if (ms(pause.range_ms) > Milliseconds{0}) {
      stage.think = ms(pause.least_ms + pause.range_ms);
      stage.think_least = ms(pause.least_ms);
      stage.think_distribution = workload::Think::uniform;
    } else {
      stage.think = ms(pause.least_ms);
    }
    // JMeter waits before a request, the first one included.
    stage.think_first = stage.think > Milliseconds{0} || stage.deviation > Milliseconds{0};
  }

  // ---- sequences of requests ----

  void append(Sequence& sequence, Sequence more) const {
    if (sequence.endless) return;
    if (more.endless) sequence.turns.clear();  // sent once, and then never again
    sequence.in_order = sequence.in_order && more.in_order;
    sequence.endless = more.endless;
    for (Turn& turn : more.turns) add(sequence, turn);
  }

  void add(Sequence& sequence, const Turn& turn) const {
    std::vector<Turn>& turns = sequence.turns;
    const auto same = [&](const Turn& other) {
      return other.request == turn.request && other.pause == turn.pause;
    };
    auto found = turns.end();
    if (!turns.empty() && same(turns.back())) {
      found = turns.end() - 1;
    } else if (!sequence.in_order || turns.size() >= kTurnsMost) {
      sequence.in_order = false;
      found = std::find_if(turns.begin(), turns.end(), same);
    }
    if (found != turns.end()) {
      found->times = std::min(found->times + turn.times, kTimesMost + 1);
    } else {
      turns.push_back(turn);
    }
  }

  Sequence repeated(const Sequence& once, double times) const {
    Sequence result;
    result.endless = once.endless;
    result.in_order = once.in_order;
    if (times < 1) return result;
    const bool one = once.turns.size() == 1;
    if (!one && static_cast<double>(once.turns.size()) * times <= static_cast<double>(kTurnsMost) &&
        once.in_order) {
      for (int i = 0; i < static_cast<int>(times); ++i) append(result, once);
      return result;
    }
    result.in_order = one && once.in_order;
    for (Turn turn : once.turns) {
      turn.times = std::min(turn.times * std::floor(times), kTimesMost + 1);
      result.turns.push_back(turn);
    }
    return result;
  }

  static bool is_sampler(const Element& element) {
    return is_any(element.type, {"HTTPSamplerProxy", "HTTPSampler", "HTTPSampler2"});
  }

  Sequence visit_sequence(const std::vector<Element>& elements, const Scope& outer) {
    const Scope scope = extended(outer, elements);
    Sequence sequence;
    for (const Element& element : elements) {
      if (!is_enabled(element) || is_of_scope(element)) continue;
      if (faults_.size() >= kFaultsShown) break;
      if (sequence.endless) {
        note(NoteKind::left_out, element, "it stands behind a loop that never ends");
      } else {
        visit_one(element, scope, sequence);
      }
    }
    return sequence;
  }

  void visit_one(const Element& element, const Scope& scope, Sequence& sequence) {
    if (is_sampler(element)) {
      add(sequence, turn_of(element, scope));
    } else if (is_controller(element)) {
      append(sequence, visit_controller(element, scope));
    } else {
      leave_out(element);
    }
  }

  static bool is_controller(const Element& element) {
    return contains(element.type, "Controller") || element.type == "InterleaveControl";
  }

  Sequence visit_controller(const Element& element, const Scope& scope) {
    const std::string_view type = element.type;
    if (type == "OnceOnlyController") {
      note(NoteKind::left_out, element, "requests that a user sends only once are not sent");
      leave_out_below(element, 0);
      return {};
    }
    if (is_any(type, {"ModuleController", "IncludeController"})) {
      leave_out(element);
      return {};
    }
    if (is_any(type, {"RandomController", "InterleaveControl", "SwitchController"}))
      return visit_first(element, scope);
    Sequence once = visit_sequence(element.children, scope);
    if (type == "LoopController") {
      const std::string text = value(element, "LoopController.loops");
      if (trimmed(text) == "-1") {
        once.endless = !once.turns.empty();
        if (once.endless)
          note(NoteKind::changed, element, "it never ends: what stands around it is sent no more");
        return once;
      }
      return repeated(once,
                      number(text, 1, kTimesMost, line_of(element, "LoopController.loops"), "the loops"));
    }
    if (type == "TransactionController") {
      note(NoteKind::told, element, "its requests are sent; its time as a whole is not measured");
    } else if (!is_any(type, {"GenericController", "RecordingController", "CriticalSectionController"})) {
      note(NoteKind::changed, element,
           "what it holds is sent once in every round, as if it were no controller");
    }
    return once;
  }

  // One of its children in each round; which one, a traffic file cannot say.
  Sequence visit_first(const Element& element, const Scope& outer) {
    const Scope scope = extended(outer, element.children);
    for (const Element& child : element.children) {
      if (!child.enabled || !(is_sampler(child) || is_controller(child))) continue;
      note(NoteKind::changed, element,
           fmt::format("of what it holds only {} is sent", base::in_quotes(child.name)));
      Sequence sequence;
      visit_one(child, scope, sequence);
      return sequence;
    }
    note(NoteKind::left_out, element, "it holds no request");
    return {};
  }

  // ---- a request ----

  Pause pause_of(const std::vector<const Element*>& timers) {
    Pause pause;
    for (const Element* timer : timers) {
      const std::string_view type = timer->type;
      const double delay = timer_value(*timer, "ConstantTimer.delay");
      pause.least_ms = std::min(pause.least_ms + delay, kPauseMostMs);
      if (type == "ConstantTimer") continue;
      const double range = timer_value(*timer, "RandomTimer.range");
      if (range == 0) continue;
      if (type == "UniformRandomTimer") {
        ++pause.even;
        pause.range_ms = std::min(pause.range_ms + range, kPauseMostMs);
      } else {
        ++pause.normal;
        pause.variance_ms2 += range * range;
      }
    }
    return pause;
  }

  // An empty one is 0; one that a function works out at run time is not known.
  double timer_value(const Element& timer, std::string_view property) {
    const std::string text = value(timer, property);
    if (contains(text, "${")) {
      note_once(NoteKind::left_out, timer,
                fmt::format("{} is not known before the plan runs: 0 ms", base::in_quotes(text)));
      return 0;
    }
    return number(text, 0, kPauseMostMs, line_of(timer, property), "a time in milliseconds");
  }

  // The sampler's own value, or that of the nearest request defaults which have one.
  std::string setting(const Element& sampler, const Scope& scope, std::string_view property) {
    std::string own = value(sampler, property);
    for (auto defaults = scope.defaults.rbegin(); own.empty() && defaults != scope.defaults.rend();
         ++defaults) {
      own = value(**defaults, property);
    }
    return own;
  }

  Turn turn_of(const Element& sampler, const Scope& outer) {
    // What stands below a sampler is for it alone.
    const Scope scope = extended(outer, sampler.children);
    for (const Element& child : sampler.children) {
      if (is_enabled(child) && !is_of_scope(child)) leave_out(child);
    }
    Request request;
    request.name = without_controls(sampler.name);
    request.method = setting(sampler, scope, "HTTPSampler.method");
    if (request.method.empty()) request.method = "GET";
    const auto is_upper = [](char c) { return (c >= 'A' && c <= 'Z') || c == '-'; };
    if (!std::all_of(request.method.begin(), request.method.end(), is_upper) || request.method == "CONNECT") {
      fault(line_of(sampler, "HTTPSampler.method"),
            fmt::format("expected a method such as GET or POST, found {}", base::in_quotes(request.method)));
    }
    set_path(request, sampler, scope);
    set_headers(request, sampler, scope);
    set_arguments(request, sampler, scope);
    note_settings(sampler, scope);
    Turn turn;
    turn.request = number_of(std::move(request), sampler);
    turn.pause = pause_of(scope.timers);
    return turn;
  }

  void set_path(Request& request, const Element& sampler, const Scope& scope) {
    std::string path = setting(sampler, scope, "HTTPSampler.path");
    std::string address;
    if (const std::size_t scheme = path.find("://");
        scheme != std::string::npos && (path.starts_with("http:") || path.starts_with("https:"))) {
      const std::size_t end = std::min(path.find_first_of("/?#", scheme + 3), path.size());
      address = path.substr(0, end);
      path.erase(0, end);
    } else if (const std::string host = setting(sampler, scope, "HTTPSampler.domain"); !host.empty()) {
      const std::string protocol = setting(sampler, scope, "HTTPSampler.protocol");
      const std::string port = setting(sampler, scope, "HTTPSampler.port");
      address = (protocol.empty() ? "http" : protocol) + "://" + host + (port.empty() ? "" : ":" + port);
    }
    if (!address.empty()) addresses_.emplace(address, &sampler);
    path.resize(std::min(path.find('#'), path.size()));
    if (!path.starts_with('/')) path.insert(0, "/");
    request.path = percent_encoded(path, [](char c) { return c > 0x20 && c < 0x7F; });
  }

  void set_headers(Request& request, const Element& sampler, const Scope& scope) {
    std::set<std::string> set_by_inner;
    for (auto manager = scope.headers.rbegin(); manager != scope.headers.rend(); ++manager) {
      const Property* list = (*manager)->properties.find("HeaderManager.headers");
      if (list == nullptr) continue;
      if (list->items.size() > kHeadersMost) {
        fault((*manager)->line, fmt::format("more than {} headers", kHeadersMost));
        return;
      }
      std::set<std::string> set_here;
      for (const Property& item : list->items) {
        const Property* name = item.find("Header.name");
        const Property* text = item.find("Header.value");
        if (name == nullptr || trimmed(name->text).empty()) continue;
        workload::Header header;
        header.name = std::string(trimmed(substituted(name->text, **manager)));
        header.value = without_controls(
            substituted(text == nullptr ? std::string_view() : std::string_view(text->text), **manager));
        const std::string key = lower(header.name);
        if (set_by_inner.contains(key)) continue;
        if (key == "content-length" || key == "transfer-encoding" || !is_header_name(header.name)) {
          note_once(NoteKind::left_out, **manager,
                    fmt::format("the header {} is not sent as written", base::in_quotes(header.name)));
          continue;
        }
        // A file has each name once.
        if (!set_here.insert(key).second) {
          note_once(NoteKind::left_out, **manager,
                    fmt::format("the header {} stands there a second time", base::in_quotes(header.name)));
          continue;
        }
        request.headers.push_back(std::move(header));
      }
      set_by_inner.merge(set_here);
    }
    if (setting(sampler, scope, "HTTPSampler.use_keepalive") == "false") {
      note_once(NoteKind::left_out, sampler, "connections are kept between requests, which the plan forbids");
    }
  }

  static bool is_header_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
  }

  void set_arguments(Request& request, const Element& sampler, const Scope& scope) {
    const bool is_raw = setting(sampler, scope, "HTTPSampler.postBodyRaw") == "true";
    std::string raw;
    std::string form;
    std::vector<const Element*> sources{&sampler};
    sources.insert(sources.end(), scope.defaults.rbegin(), scope.defaults.rend());
    for (const Element* source : sources) {
      const Property* arguments = source->properties.find("HTTPsampler.Arguments");
      const Property* list = arguments == nullptr ? nullptr : arguments->find("Arguments.arguments");
      if (list == nullptr) continue;
      for (const Property& item : list->items) {
        const auto text = [&](std::string_view property) {
          const Property* found = item.find(property);
          return found == nullptr ? std::string() : substituted(found->text, *source);
        };
        const std::string name = text("Argument.name");
        const std::string value_text = text("Argument.value");
        raw += value_text;
        if (name.empty()) continue;
        const bool encode = text("HTTPArgument.always_encode") == "true";
        const bool equals = text("HTTPArgument.use_equals") != "false" || !value_text.empty();
        form += (form.empty() ? "" : "&") + form_encoded(name) + (equals ? "=" : "") +
                (encode ? form_encoded(value_text) : value_text);
      }
      if (is_raw && !list->items.empty()) break;
    }
    const bool has_body = is_any(request.method, {"POST", "PUT", "PATCH"});
    if (is_raw) {
      request.body = std::move(raw);
    } else if (has_body) {
      request.body = std::move(form);
    } else if (!form.empty()) {
      request.path += (contains(request.path, "?") ? "&" : "?") +
                      percent_encoded(form, [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
    }
    const bool has_type =
        std::any_of(request.headers.begin(), request.headers.end(),
                    [](const workload::Header& header) { return lower(header.name) == "content-type"; });
    // As JMeter does where nothing else is said.
    if (has_body && !request.body.empty() && !has_type)
      request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  }

  void note_settings(const Element& sampler, const Scope& scope) {
    if (setting(sampler, scope, "HTTPSampler.DO_MULTIPART_POST") == "true")
      note(NoteKind::changed, sampler, "its form is sent as one text, not in several parts");
    if (const Property* files = sampler.properties.find("HTTPsampler.Files")) {
      const Property* list = files->find("HTTPFileArgs.files");
      if (list != nullptr && !list->items.empty())
        note(NoteKind::left_out, sampler, "files are not uploaded");
    }
    if (setting(sampler, scope, "HTTPSampler.image_parser") == "true")
      note_once(NoteKind::left_out, sampler, "what a page embeds is not fetched");
    if (const std::string timeout = setting(sampler, scope, "HTTPSampler.response_timeout"); !timeout.empty())
      note_once(NoteKind::told, sampler,
                fmt::format("the plan waits {} ms for an answer: `headroom load --timeout`", timeout));
  }

  // The same request of several groups is one, whatever it is called there.
  std::size_t number_of(Request request, const Element& sampler) {
    std::string key = request.method + '\n' + request.path + '\n';
    for (const workload::Header& header : request.headers) key += header.name + ':' + header.value + '\n';
    key += '\n' + request.body;
    const std::size_t bytes = key.size();
    const auto [found, is_new] = numbers_.emplace(std::move(key), requests_.size());
    if (is_new) {
      requests_bytes_ += bytes;
      if (requests_.size() == kRequestsMost || requests_bytes_ > kRequestsBytes) {
        fault(sampler.line, fmt::format("the plan asks more than {} different requests, or {} bytes",
                                        kRequestsMost, kRequestsBytes));
      }
      check_names(request, sampler);
      requests_.push_back(std::move(request));
    }
    return found->second;
  }

  void check_names(const Request& request, const Element& sampler) {
    const auto check = [&](std::string_view text) {
      for (const workload::TextPart& part : workload::parts_of(text)) {
        if (!part.is_name || heading_unknown_ || data_names_.contains(part.text)) continue;
        note_once(NoteKind::left_out, sampler,
                  fmt::format("nothing gives ${{{}}} a value: add a CSV with that heading to variables",
                              part.text));
      }
    };
    check(request.path);
    check(request.body);
    for (const workload::Header& header : request.headers) check(header.value);
  }

  // ---- together ----

  std::string why_nothing() const {
    std::string text;
    std::size_t told = 0;
    for (const Note& one : imported_.notes) {
      if (one.kind == NoteKind::told || told == 5) continue;
      text += (text.empty() ? "" : "; ") + to_string(one);
      ++told;
    }
    return text;
  }

  void finish() {
    workload::Closed closed;
    closed.serial = serial_ || groups_.size() == 1;
    for (const Group& group : groups_) {
      if (group.delay > Milliseconds{0} && closed.serial) {
        workload::ClosedStage pause;
        pause.users = 0;
        pause.requests_each = 0;
        pause.duration = group.delay;
        closed.stages.push_back(pause);
      } else if (group.delay > Milliseconds{0}) {
        note(NoteKind::left_out, *group.element,
             fmt::format("it starts {} later than the others; stages that run at once start together",
                         base::format_duration(group.delay)));
      }
      closed.stages.push_back(group.stage);
    }
    imported_.traffic.shape = std::move(closed);
    finish_requests();
    note_addresses();
    std::stable_sort(imported_.notes.begin(), imported_.notes.end(),
                     [](const Note& a, const Note& b) { return a.line < b.line; });
  }

  // The requests of a round one by one, without repetition of the whole; unset: the order is not known, or
  // too long to write.
  static std::optional<std::vector<std::size_t>> round(const Sequence& sequence) {
    if (sequence.turns.size() == 1) return std::vector{sequence.turns.front().request};
    if (!sequence.in_order || sequence.count() > static_cast<double>(kTurnsMost)) return std::nullopt;
    std::vector<std::size_t> list;
    for (const Turn& turn : sequence.turns)
      list.insert(list.end(), static_cast<std::size_t>(turn.times), turn.request);
    for (std::size_t period = 1; period < list.size(); ++period) {
      if (list.size() % period != 0) continue;
      if (std::equal(list.begin() + static_cast<std::ptrdiff_t>(period), list.end(), list.begin())) {
        list.resize(period);
        break;
      }
    }
    return list;
  }

  void finish_requests() {
    workload::Requests& requests = imported_.traffic.requests;
    const auto first = round(groups_.front().sequence);
    const auto differs = std::find_if(groups_.begin(), groups_.end(),
                                      [&](const Group& group) { return round(group.sequence) != first; });
    if (first && differs == groups_.end()) {
      for (const std::size_t number : *first) requests.list.push_back(requests_[number]);
      if (first->size() > 1) requests.choice = workload::Choice::in_order;
      return;
    }
    std::map<std::size_t, double> sent;
    for (const Group& group : groups_) {
      const double rounds = group.sent / group.sequence.count();
      for (const Turn& turn : group.sequence.turns) sent[turn.request] += rounds * turn.times;
    }
    const bool several = groups_.size() > 1 && differs != groups_.end();
    if (sent.size() > 1) {
      note(NoteKind::changed, several && first ? *differs->element : *groups_.front().element,
           several ? "thread groups ask different things, for which a file has one list: each request is "
                     "chosen by "
                     "chance, as often as the whole plan sends it"
                   : "its order of requests is too long to write: each is chosen by chance, as often as it "
                     "is sent");
    }
    double most = 0;
    for (const auto& [number, times] : sent) most = std::max(most, times);
    const double factor = common_factor(sent, most);
    for (const auto& [number, times] : sent) {
      requests.list.push_back(requests_[number]);
      requests.list.back().weight = std::max(times / factor, 1e-6);
    }
  }

  // Weights are small whole numbers where that is possible, and at most a million.
  static double common_factor(const std::map<std::size_t, double>& sent, double most) {
    constexpr double kExact = 9e15;
    if (most > kExact) return most / 1e6;
    std::int64_t divisor = 0;
    for (const auto& [number, times] : sent) divisor = std::gcd(divisor, static_cast<std::int64_t>(times));
    const double factor = divisor > 0 ? static_cast<double>(divisor) : 1;
    return most / factor > 1e6 ? most / 1e6 : factor;
  }

  void note_addresses() {
    for (const auto& [address, sampler] : addresses_) {
      note(NoteKind::told, *sampler,
           fmt::format("the address {} is not part of a traffic file: `headroom load --url`", address));
    }
    if (addresses_.size() > 1) {
      imported_.notes.push_back(
          {NoteKind::changed,
           0,
           {},
           {},
           "the plan asks several addresses; all requests go to the one that is given"});
    }
  }

  const std::vector<Element>& top_;
  std::string file_;
  Imported imported_;
  std::vector<base::Fault> faults_;
  std::set<std::string> said_;
  std::size_t put_in_ = 0;
  std::size_t requests_bytes_ = 0;
  std::map<std::string, std::string, std::less<>> variables_;
  std::set<std::string> data_names_;
  bool heading_unknown_ = false;
  bool serial_ = false;
  std::vector<Group> groups_;
  std::vector<Request> requests_;
  std::map<std::string, std::size_t> numbers_;
  std::map<std::string, const Element*> addresses_;
};

}  // namespace

base::Result<Imported> import_jmx(std::string_view text, const std::string& file) {
  auto top = read_plan(text, file);
  if (!top) return top.error();
  return Plan(*top, file).import();
}

}  // namespace headroom::importers
