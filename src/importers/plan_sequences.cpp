#include "importers/plan_sequences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "base/units.hpp"
#include "importers/jmx.hpp"
#include "importers/plan_elements.hpp"
#include "importers/plan_text.hpp"

namespace headroom::importers {
namespace {

void add(Sequence& sequence, const Turn& turn) {
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

void append(Sequence& sequence, Sequence more) {
  if (sequence.endless) return;
  if (more.endless) sequence.turns.clear();  // sent once, and then never again
  sequence.in_order = sequence.in_order && more.in_order;
  sequence.endless = more.endless;
  for (Turn& turn : more.turns) add(sequence, turn);
}

Sequence repeated(const Sequence& once, double times) {
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

}  // namespace

Sequence PlanSequences::visit(const std::vector<Element>& elements, const Scope& outer) {
  const Scope scope = extended(outer, elements, report_);
  Sequence sequence;
  for (const Element& element : elements) {
    if (!report_.is_enabled(element) || is_of_scope(element)) continue;
    if (report_.is_full()) break;
    if (sequence.endless) {
      report_.note(NoteKind::left_out, element, "it stands behind a loop that never ends");
    } else {
      visit_one(element, scope, sequence);
    }
  }
  return sequence;
}

void PlanSequences::visit_one(const Element& element, const Scope& scope, Sequence& sequence) {
  if (is_sampler(element)) {
    add(sequence, samplers_.turn_of(element, scope));
  } else if (is_controller(element)) {
    append(sequence, visit_controller(element, scope));
  } else {
    report_.leave_out(element);
  }
}

Sequence PlanSequences::visit_controller(const Element& element, const Scope& scope) {
  const std::string_view type = element.type;
  if (type == "OnceOnlyController") {
    report_.note(NoteKind::left_out, element, "requests that a user sends only once are not sent");
    report_.leave_out_below(element);
    return {};
  }
  if (is_any(type, {"ModuleController", "IncludeController"})) {
    report_.leave_out(element);
    return {};
  }
  if (is_any(type, {"RandomController", "InterleaveControl", "SwitchController"}))
    return visit_first(element, scope);
  Sequence once = visit(element.children, scope);
  if (type == "LoopController") {
    const std::string text = values_.value(element, "LoopController.loops");
    if (trimmed(text) == "-1") {
      once.endless = !once.turns.empty();
      if (once.endless)
        report_.note(NoteKind::changed, element, "it never ends: what stands around it is sent no more");
      return once;
    }
    return repeated(once, values_.number(text, 1, kTimesMost,
                                         PlanValues::line_of(element, "LoopController.loops"), "the loops"));
  }
  if (type == "TransactionController") {
    report_.note(NoteKind::told, element, "its requests are sent; its time as a whole is not measured");
  } else if (!is_any(type, {"GenericController", "RecordingController", "CriticalSectionController"})) {
    report_.note(NoteKind::changed, element,
                 "what it holds is sent once in every round, as if it were no controller");
  }
  return once;
}

// One of its children in each round; which one, a traffic file cannot say.
Sequence PlanSequences::visit_first(const Element& element, const Scope& outer) {
  const Scope scope = extended(outer, element.children, report_);
  for (const Element& child : element.children) {
    if (!child.enabled || !(is_sampler(child) || is_controller(child))) continue;
    report_.note(NoteKind::changed, element,
                 fmt::format("of what it holds only {} is sent", base::in_quotes(child.name)));
    Sequence sequence;
    visit_one(child, scope, sequence);
    return sequence;
  }
  report_.note(NoteKind::left_out, element, "it holds no request");
  return {};
}

std::optional<std::vector<std::size_t>> round(const Sequence& sequence) {
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

}  // namespace headroom::importers
