#include "base/result.hpp"

#include <fmt/format.h>

namespace headroom::base {

Error bad_input(std::string what, std::string fix) {
  return bad_input(Place{}, std::move(what), std::move(fix));
}

Error bad_input(Place place, std::string what, std::string fix) {
  return {ErrorKind::bad_input, {{std::move(place), std::move(what), std::move(fix), {}}}};
}

Error unavailable(std::string what, std::string fix) {
  return {ErrorKind::unavailable, {{Place{}, std::move(what), std::move(fix), {}}}};
}

std::string to_string(const Fault& fault) {
  std::string text;
  if (!fault.place.file.empty()) {
    text = fault.place.file;
    if (fault.place.line > 0) text += fmt::format(":{}", fault.place.line);
    if (fault.place.column > 0) text += fmt::format(":{}", fault.place.column);
    text += ": ";
  }
  if (!fault.path.empty()) text += fault.path + ": ";
  text += fault.what;
  if (!fault.fix.empty()) text += "\n  " + fault.fix;
  return text;
}

std::string to_string(const Error& error) {
  std::string text;
  for (const Fault& fault : error.faults) {
    if (!text.empty()) text += '\n';
    text += to_string(fault);
  }
  return text;
}

}  // namespace headroom::base
