#include "store/system_error.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "store/descriptor.hpp"

namespace headroom::store {
namespace {

struct Words {
  base::ErrorKind kind;
  std::string found;
  std::string fix;
};

Words words_for(int number, bool writing) {
  using enum base::ErrorKind;
  switch (number) {
    case ENOENT:
      return writing
                 ? Words{bad_input, "its folder does not exist", "create the folder, or name another file"}
                 : Words{bad_input, "it does not exist",
                         "check the path; in a file it is relative to the folder of that file"};
    case ENOTDIR:
      return {bad_input, "a part of the path is a file, not a folder", "check the path"};
    case EISDIR:
      return {bad_input, "it is a folder, and a file was expected", "name a file in it"};
    case EACCES:
    case EPERM:
      return {bad_input, "permission is denied", "check the owner and mode of the file and of its folders"};
    case EROFS:
      return {bad_input, "the file system is read-only", "name a place that can be written"};
    case ENAMETOOLONG:
      return {bad_input, "the name is too long", "use a shorter name"};
    case ELOOP:
      return {bad_input, "its symbolic links lead in a circle", "check the links with ls -l"};
    case ENOSPC:
    case EDQUOT:
      return {unavailable, "no space is left", "free some space (df -h shows how much there is)"};
    case EFBIG:
      return {unavailable, "it would exceed the largest permitted file", "raise the limit (ulimit -f)"};
    case EMFILE:
    case ENFILE:
      return {unavailable, "too many files are open", "raise the limit (ulimit -n)"};
    default:
      return {unavailable, std::generic_category().message(number), "check the disk and the file system"};
  }
}

}  // namespace

base::Error failed_to(std::string_view verb, const std::filesystem::path& path, int number) {
  const bool writing = verb != "read";
  Words words = words_for(number, writing);
  const std::string_view participle = verb == "read"     ? "read"
                                      : verb == "write"  ? "written"
                                      : verb == "remove" ? "removed"
                                                         : "created";
  return {words.kind,
          {{base::Place{path.string()}, fmt::format("cannot be {}: {}", participle, words.found),
            std::move(words.fix)}}};
}

base::Result<void> synchronise_folder(const std::filesystem::path& folder) {
  const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.open()) return failed_to("write", folder, errno);
  // Some file systems have nothing to synchronise for a folder and say EINVAL.
  if (::fsync(file.number()) != 0 && errno != EINVAL) return failed_to("write", folder, errno);
  return {};
}

}  // namespace headroom::store
