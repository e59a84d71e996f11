#include "importers/jmx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

#include "base/units.hpp"
#include "importers/plan_document.hpp"
#include "importers/plan_elements.hpp"
#include "importers/plan_report.hpp"
#include "importers/plan_samplers.hpp"
#include "importers/plan_scope.hpp"
#include "importers/plan_sequences.hpp"
#include "importers/plan_text.hpp"
#include "importers/plan_timers.hpp"
#include "importers/plan_values.hpp"

namespace headroom::importers {
namespace {

using base::Milliseconds;

constexpr int kUsersMost = 10'000'000;

struct Group {
  workload::ClosedStage stage;
  Milliseconds delay{0};
  Sequence sequence;
  double sent = 0;  // by all its users; where that is not known, in proportion to their number
  const Element* element = nullptr;
};

// The thread groups of a plan as stages, and their requests as those of the traffic.
class Plan {
 public:
  Plan(const std::vector<Element>& top, const std::string& file)
      : top_(top),
        report_(file),
        values_(top, report_),
        samplers_(values_, report_),
        sequences_(samplers_, values_, report_) {}

  base::Result<Imported> import() {
    visit_plan(top_, {});
    if (!report_.is_faulty() && groups_.empty()) {
      report_.fault(1, "no thread group of the plan sends HTTP requests", report_.why_nothing());
    }
    if (report_.is_faulty()) return report_.error();
    finish();
    return std::move(imported_);
  }

 private:
  void visit_plan(const std::vector<Element>& elements, const Scope& outer) {
    const Scope scope = extended(outer, elements, report_);
    for (const Element& element : elements) {
      if (!report_.is_enabled(element) || is_of_scope(element)) continue;
      if (element.type == "TestPlan") {
        serial_ = values_.flag(element, "TestPlan.serialize_threadgroups");
        visit_plan(element.children, scope);
      } else if (element.type == "ThreadGroup") {
        visit_group(element, scope);
      } else {
        report_.leave_out(element);
      }
    }
  }

  void visit_group(const Element& element, const Scope& outer) {
    Group group;
    group.element = &element;
    workload::ClosedStage& stage = group.stage;
    const double users =
        values_.number(values_.value(element, "ThreadGroup.num_threads"), 1, kUsersMost,
                       PlanValues::line_of(element, "ThreadGroup.num_threads"), "the number of threads");
    stage.users = static_cast<int>(users);
    stage.ramp_up = values_.seconds(element, "ThreadGroup.ramp_time", "the ramp-up time in seconds");
    // Duration and delay count only where the scheduler is on, whatever is written.
    if (values_.flag(element, "ThreadGroup.scheduler")) {
      const Milliseconds lasts = values_.seconds(element, "ThreadGroup.duration", "the duration in seconds");
      if (lasts > Milliseconds{0}) {
        stage.duration = lasts;
      } else {
        report_.note(NoteKind::left_out, element,
                     "start and end times by the clock do not count, and no duration is written");
      }
      group.delay = values_.seconds(element, "ThreadGroup.delay", "the delay in seconds");
    }
    double loops = 1;
    bool endless = false;
    if (const Property* main = element.properties.find("ThreadGroup.main_controller")) {
      const Property* written = main->find("LoopController.loops");
      const Property* forever = main->find("LoopController.continue_forever");
      const std::string text =
          written == nullptr ? std::string() : values_.substituted(written->text, element);
      endless = trimmed(text) == "-1" ||
                (forever != nullptr && trimmed(values_.substituted(forever->text, element)) == "true");
      if (!endless)
        loops = values_.number(text, 1, kTimesMost, written == nullptr ? element.line : written->line,
                               "the loops");
    }
    if (const std::string on_error = values_.value(element, "ThreadGroup.on_sample_error");
        !on_error.empty() && on_error != "continue") {
      report_.note(NoteKind::changed, element,
                   fmt::format("after a failed request its user goes on; the plan says {}",
                               base::in_quotes(on_error)));
    }
    group.sequence = sequences_.visit(element.children, outer);
    if (report_.is_faulty()) return;
    if (group.sequence.turns.empty() || stage.users == 0 || loops == 0) {
      report_.note(NoteKind::left_out, element,
                   stage.users == 0 ? "it has no threads"
                   : loops == 0     ? "it loops 0 times"
                                    : "it sends no HTTP requests");
      return;
    }
    endless = endless || group.sequence.endless;
    if (endless && !stage.duration) {
      stage.duration = Milliseconds{3'600'000};
      report_.note(NoteKind::changed, element,
                   "it goes on until somebody stops it; `for: 1h` stands for that");
    }
    const double count = endless ? group.sequence.count() : std::floor(loops) * group.sequence.count();
    if (!endless && count > kTimesMost) {
      report_.fault(
          element.line,
          fmt::format("each user sends {:.0f} requests, more than the {:.0f} of a stage", count, kTimesMost));
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
    report_.note(NoteKind::changed, *group.element,
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
      report_.note(
          NoteKind::changed, *group.element,
          fmt::format("its requests wait differently; a stage has one pause: the mean of theirs, {:.0f} ms",
                      pause.least_ms));
    }
    importers::set_pause(group.stage, pause, *group.element, report_);
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
        report_.note(NoteKind::left_out, *group.element,
                     fmt::format("it starts {} later than the others; stages that run at once start together",
                                 base::format_duration(group.delay)));
      }
      closed.stages.push_back(group.stage);
    }
    imported_.traffic.shape = std::move(closed);
    imported_.traffic.requests.variables = values_.data_sets();
    finish_requests();
    samplers_.note_addresses();
    imported_.notes = report_.notes();
  }

  void finish_requests() {
    workload::Requests& requests = imported_.traffic.requests;
    const auto first = round(groups_.front().sequence);
    const auto differs = std::find_if(groups_.begin(), groups_.end(),
                                      [&](const Group& group) { return round(group.sequence) != first; });
    if (first && differs == groups_.end()) {
      for (const std::size_t number : *first) requests.list.push_back(samplers_.requests()[number]);
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
      report_.note(
          NoteKind::changed, several && first ? *differs->element : *groups_.front().element,
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
      requests.list.push_back(samplers_.requests()[number]);
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

  const std::vector<Element>& top_;
  PlanReport report_;
  PlanValues values_;
  PlanSamplers samplers_;
  PlanSequences sequences_;
  Imported imported_;
  bool serial_ = false;
  std::vector<Group> groups_;
};

}  // namespace

base::Result<Imported> import_jmx(std::string_view text, const std::string& file) {
  auto top = read_plan(text, file);
  if (!top) return top.error();
  return Plan(*top, file).import();
}

}  // namespace headroom::importers
