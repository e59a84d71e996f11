// Imported: what another tool's file says, as traffic, and what of it the traffic does not say.
#pragma once

#include <string>
#include <vector>

#include "workload/traffic.hpp"

namespace headroom::importers {

enum class NoteKind {
  told,      // how something was understood, or what stands elsewhere now
  changed,   // taken over, but not as it was
  left_out,  // not taken over
  disabled,  // switched off in the file, and not taken over
};

struct Note {
  NoteKind kind = NoteKind::told;
  int line = 0;         // in the imported file; 0: the file as a whole
  std::string element;  // what kind of thing it is there: "ResponseAssertion"; empty: the file as a whole
  std::string name;     // how it is called there; may be empty
  std::string what;
  bool operator==(const Note&) const = default;
};

struct Imported {
  workload::Traffic traffic;  // names of files are relative to the imported file
  std::vector<Note> notes;
};

// "told", "changed", "left out", "disabled".
std::string_view word_of(NoteKind kind);
// "line 12: left out: ResponseAssertion "is 200": assertions are not checked".
std::string to_string(const Note& note);

}  // namespace headroom::importers
