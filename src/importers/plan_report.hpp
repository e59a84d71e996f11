// PlanReport: what an import of a test plan has to tell, and what is wrong with the plan; internal to this
// module.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "importers/imported.hpp"
#include "importers/plan_document.hpp"

namespace headroom::importers {

class PlanReport {
 public:
  explicit PlanReport(std::string file) : file_(std::move(file)) {}

  void note(NoteKind kind, const Element& element, const std::string& what);
  // Said once, where it is first met.
  void note_once(NoteKind kind, const Element& element, const std::string& what);
  // Of the whole plan.
  void note(NoteKind kind, const std::string& what);
  // An element that the traffic has not, and all that stands below it, with the reason.
  void leave_out(const Element& element);
  void leave_out_below(const Element& element) { leave_out_below(element, 0); }
  // Whether it counts; that it is switched off is noted.
  bool is_enabled(const Element& element);

  void fault(int line, std::string what, std::string fix = {});
  bool is_faulty() const { return !faults_.empty(); }
  // So much is wrong that looking further tells nobody more.
  bool is_full() const;

  // In the order of their lines.
  base::Error error() const;
  std::vector<Note> notes() const;
  // Why nothing came of the plan: the first notes in one line.
  std::string why_nothing() const;

 private:
  void leave_out_below(const Element& element, int depth);

  std::string file_;
  std::vector<Note> notes_;
  std::vector<base::Fault> faults_;
  std::set<std::string> said_;
};

}  // namespace headroom::importers
