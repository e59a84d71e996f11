#include "importers/plan_timers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "base/units.hpp"
#include "importers/plan_text.hpp"

namespace headroom::importers {
namespace {

using base::Milliseconds;

// An empty one is 0; one that a function works out at run time is not known.
double timer_value(const Element& timer, std::string_view property, PlanValues& values, PlanReport& report) {
  const std::string text = values.value(timer, property);
  if (contains(text, "${")) {
    report.note_once(NoteKind::left_out, timer,
                     fmt::format("{} is not known before the plan runs: 0 ms", base::in_quotes(text)));
    return 0;
  }
  return values.number(text, 0, kPauseMostMs, PlanValues::line_of(timer, property), "a time in milliseconds");
}

}  // namespace

Pause pause_of(const std::vector<const Element*>& timers, PlanValues& values, PlanReport& report) {
  Pause pause;
  for (const Element* timer : timers) {
    const std::string_view type = timer->type;
    const double delay = timer_value(*timer, "ConstantTimer.delay", values, report);
    pause.least_ms = std::min(pause.least_ms + delay, kPauseMostMs);
    if (type == "ConstantTimer") continue;
    const double range = timer_value(*timer, "RandomTimer.range", values, report);
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

void set_pause(workload::ClosedStage& stage, const Pause& pause, const Element& element, PlanReport& report) {
  if (pause.even + pause.normal > 1 && pause.even > 0) {
    report.note(NoteKind::changed, element,
                fmt::format("the sum of {} random timers is taken for one {} pause",
                            pause.even + pause.normal, pause.normal > 0 ? "normal" : "uniform"));
  }
  const auto ms = [](double value) { return Milliseconds{std::llround(value)}; };
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

}  // namespace headroom::importers
