#include "importers/plan_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "importers/plan_elements.hpp"
#include "importers/plan_text.hpp"

namespace headroom::importers {
namespace {

// What no plan that people write comes near to; it keeps the cost of a hostile one low.
constexpr std::size_t kFaultsShown = 20;
constexpr std::size_t kNotesOfNothing = 5;

}  // namespace

void PlanReport::note(NoteKind kind, const Element& element, const std::string& what) {
  // Notes go to terminals, and what is told in them comes out of the plan.
  notes_.push_back({kind, element.line, element.type, element.name, without_controls(what)});
}

void PlanReport::note_once(NoteKind kind, const Element& element, const std::string& what) {
  if (said_.insert(what).second) note(kind, element, what);
}

void PlanReport::note(NoteKind kind, const std::string& what) { notes_.push_back({kind, 0, {}, {}, what}); }

void PlanReport::fault(int line, std::string what, std::string fix) {
  if (faults_.size() < kFaultsShown) faults_.push_back({{file_, line, 0}, std::move(what), std::move(fix)});
}

bool PlanReport::is_full() const { return faults_.size() >= kFaultsShown; }

base::Error PlanReport::error() const {
  base::Error error{base::ErrorKind::bad_input, faults_};
  std::stable_sort(error.faults.begin(), error.faults.end(),
                   [](const base::Fault& a, const base::Fault& b) { return a.place.line < b.place.line; });
  return error;
}

std::vector<Note> PlanReport::notes() const {
  std::vector<Note> notes = notes_;
  std::stable_sort(notes.begin(), notes.end(), [](const Note& a, const Note& b) { return a.line < b.line; });
  return notes;
}

std::string PlanReport::why_nothing() const {
  std::string text;
  std::size_t told = 0;
  for (const Note& one : notes_) {
    if (one.kind == NoteKind::told || told == kNotesOfNothing) continue;
    text += (text.empty() ? "" : "; ") + to_string(one);
    ++told;
  }
  return text;
}

bool PlanReport::is_enabled(const Element& element) {
  if (!element.enabled) note(NoteKind::disabled, element, "it is switched off in the plan");
  return element.enabled;
}

void PlanReport::leave_out(const Element& element) {
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
void PlanReport::leave_out_below(const Element& element, int depth) {
  constexpr int kListed = 3;
  if (depth >= kListed) return;
  for (const Element& child : element.children) {
    note(child.enabled ? NoteKind::left_out : NoteKind::disabled, child,
         fmt::format("it stands in {} {}", element.type, base::in_quotes(element.name)));
    leave_out_below(child, depth + 1);
  }
}

}  // namespace headroom::importers
