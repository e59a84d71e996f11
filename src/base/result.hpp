// Result<T>: a value, or an Error that says what was tried, where, and what to do about it.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace headroom::base {

// A place in an input file. Lines and columns count from 1; 0 means "not known". An empty file name means
// that the input was not a file (a command-line option, say).
struct Place {
  std::string file;
  int line = 0;
  int column = 0;

  bool operator==(const Place&) const = default;
};

// One thing that is wrong. `what` says what was found and what was expected; `fix` says what to do. `path` is
// the field of headroom.yaml that is meant, for whoever knows the field but not where it stands.
struct Fault {
  Place place;
  std::string what;
  std::string fix;
  std::string path = {};

  bool operator==(const Fault&) const = default;
};

// Whom an error concerns; the command line turns it into its exit code (docs/reference/commands.md).
enum class ErrorKind {
  bad_input,    // exit 2: a file, an option or a value that cannot be used
  unavailable,  // exit 3: the machine, the cloud or the network failed
};

// One or more faults, in the order of their places: whoever reads input reports all of them at once.
struct Error {
  ErrorKind kind = ErrorKind::bad_input;
  std::vector<Fault> faults;

  bool operator==(const Error&) const = default;
};

// An Error with a single fault.
Error bad_input(std::string what, std::string fix = {});
Error bad_input(Place place, std::string what, std::string fix = {});
Error unavailable(std::string what, std::string fix = {});

// All faults, one per paragraph: "file:line:column: what\n  fix". No trailing newline.
std::string to_string(const Error& error);
std::string to_string(const Fault& fault);

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
  Result(Error error) : tl::expected<T, Error>(tl::unexpected<Error>(std::move(error))) {}
};

}  // namespace headroom::base
