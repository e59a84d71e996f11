#include "importers/imported.hpp"

#include <fmt/format.h>

#include "base/units.hpp"

namespace headroom::importers {

std::string_view word_of(NoteKind kind) {
  switch (kind) {
    case NoteKind::told:
      break;
    case NoteKind::changed:
      return "changed";
    case NoteKind::left_out:
      return "left out";
    case NoteKind::disabled:
      return "disabled";
  }
  return "told";
}

std::string to_string(const Note& note) {
  std::string text;
  if (note.line > 0) text += fmt::format("line {}: ", note.line);
  if (note.kind != NoteKind::told) text += fmt::format("{}: ", word_of(note.kind));
  if (!note.element.empty()) {
    text += note.element;
    if (!note.name.empty()) text += " " + base::in_quotes(note.name);
    text += ": ";
  }
  return text + note.what;
}

}  // namespace headroom::importers
