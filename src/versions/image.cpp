#include "versions/image.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/units.hpp"
#include "store/descriptor.hpp"
#include "store/file.hpp"
#include "store/system_error.hpp"
#include "versions/build_log.hpp"
#include "versions/image_folder.hpp"
#include "versions/sha256.hpp"
#include "versions/tree.hpp"
#include "versions/unpack.hpp"

namespace headroom::versions {
namespace fs = std::filesystem;
using store::Descriptor;

namespace {

constexpr std::size_t kLinesShown = 12;  // of the log of a failed build

base::Result<void> make_folder(const fs::path& folder) {
  // Instances run as other users, and enter it, whatever the umask.
  if ((::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) || ::chmod(folder.c_str(), 0755) != 0) {
    return store::failed_to("create", folder, errno);
  }
  return {};
}

base::Result<void> expect_whole(const Artifact& artifact) {
  const base::Result<std::string> hash = sha256_of_file(artifact.file);
  if (!hash) return hash.error();
  if (*hash == artifact.hash) return {};
  return base::bad_input(base::Place{artifact.file.string()},
                         "is damaged: its content is not what its name says",
                         "deploy that version again from its source");
}

base::Error at_log(base::Error error, const ImageFolder& image) {
  base::Fault& fault = error.faults.front();
  if (const std::string lines = last_lines(image.log, kLinesShown); !lines.empty()) {
    fault.what += "; its last lines:\n" + lines;
  }
  fault.fix += (fault.fix.empty() ? "the whole log: " : "; the whole log: ") + image.log.string();
  return error;
}

base::Result<void> build(const std::string& command, const ImageFolder& image, const Runner& runner,
                         const PrepareOptions& options) {
  base::Result<int> code = runner(image.app, command, image.log, options.timeout);
  (void)shorten_log(image.log, options.log_bytes);  // a log that stays long is no reason to have no image
  if (!code) return at_log(code.error(), image);
  if (*code == 0) return {};
  return at_log(base::bad_input(base::Place{},
                                fmt::format("the build command {} ended with exit code {}",
                                            base::in_quotes(command), *code),
                                "mend the command or the source, and deploy again"),
                image);
}

// Everything is on the disk, before the marker says so.
base::Result<void> synchronise(const ImageFolder& image) {
  const Descriptor folder(::open(image.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || ::syncfs(folder.number()) != 0) return store::failed_to("write", image.folder, errno);
  return {};
}

}  // namespace

std::string image_key(const std::string& artifact_hash, const std::string& build_command) {
  constexpr std::size_t kDigits = 32;
  Sha256 hash;
  hash.add(artifact_hash);
  hash.add("\n");  // no hash holds one
  hash.add(build_command);
  return hash.finish().substr(0, kDigits);
}

Image image_of(const fs::path& images, const std::string& key) {
  std::error_code error;
  return {key, ImageFolder(fs::absolute(images, error), key).app};
}

bool is_built(const fs::path& images, const std::string& key) {
  return artifact_of_complete(ImageFolder(images, key)).has_value();
}

base::Result<Image> prepare(const Artifact& artifact, const std::string& build_command,
                            const fs::path& images, const Runner& runner, const Progress& progress,
                            const PrepareOptions& options) {
  const auto tell = [&](std::string_view step) {
    if (progress) progress(step);
  };
  std::error_code error;
  fs::create_directories(images, error);
  if (error) return store::failed_to("create", images, error.value());
  const std::string key = image_key(artifact.hash, build_command);
  const ImageFolder image(fs::absolute(images, error), key);
  const base::Result<Descriptor> lock =
      lock_image(image, [&] { tell("waiting for another one that builds it"); });
  if (!lock) return lock.error();

  if (artifact_of_complete(image)) {
    // Its time says when it was last wanted.
    ::utimensat(AT_FDCWD, image.marker.c_str(), nullptr, 0);
    tell("built already");
    return Image{key, image.app};
  }
  if (base::Result<void> removed = remove_image(image); !removed) return removed.error();
  if (base::Result<void> made = make_folder(image.folder); !made) return made.error();

  const auto steps = [&]() -> base::Result<void> {
    tell("unpacking");
    if (base::Result<void> whole = expect_whole(artifact); !whole) return whole;
    if (base::Result<void> done = unpack(artifact.file, image.app, options.limits); !done) return done;
    if (!build_command.empty()) {
      tell("building");
      if (base::Result<void> done = build(build_command, image, runner, options); !done) return done;
    }
    if (base::Result<void> sealed = seal_tree(image.app); !sealed) return sealed;
    return synchronise(image);
  };
  base::Result<void> done = steps();
  if (done) done = store::write_file_atomically(image.marker, artifact.hash + "\n");
  if (!done) {
    // The log stays for whoever has to find out why.
    (void)remove_tree(image.app);
    return done.error();
  }
  return Image{key, image.app};
}

}  // namespace headroom::versions
