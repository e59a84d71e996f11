#include "cli/preview_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "report/layout.hpp"
#include "report/words.hpp"

namespace headroom::cli {
namespace {

std::string version_text(const daemon::ServicePreview& service) {
  std::string text;
  if (service.replaces.empty()) {
    text = fmt::format("version {}, its first", service.version);
  } else if (service.version == service.replaces) {
    return fmt::format("version {} stays", service.version);
  } else {
    text = fmt::format("version {} replaces {}", service.version, service.replaces);
  }
  return text + (service.builds ? "; it is built" : "");
}

std::string instances_text(const daemon::ServicePreview& service) {
  std::string text =
      fmt::format("{} {}", service.instances, service.instances == 1 ? "instance" : "instances");
  if (service.instances_before != 0 && service.instances_before != service.instances)
    text += fmt::format(" instead of {}", service.instances_before);
  for (std::size_t k = 0; k < service.zones.size(); ++k)
    text += fmt::format("{}{} in zone {}", k == 0 ? ": " : ", ", service.zones[k].instances,
                        service.zones[k].zone);
  if (service.instances == 0) return text;
  text += fmt::format("; each with {} of a core", report::short_text(service.cores));
  if (service.memory_bytes) {
    constexpr double kMiB = 1 << 20;
    text += fmt::format(" and {:.0f} MiB", static_cast<double>(*service.memory_bytes) / kMiB);
  }
  return text;
}

bool differs(const daemon::Preview& preview) {
  return !preview.ends.empty() ||
         std::any_of(preview.services.begin(), preview.services.end(), [](const daemon::ServicePreview& one) {
           return one.version != one.replaces || one.instances != one.instances_before;
         });
}

}  // namespace

std::string preview_text(const daemon::Preview& preview) {
  std::string text = report::wrapped("", fmt::format("{} {} ({})", preview.environment, preview.file,
                                                     preview.runs ? "runs" : "would be new"));
  for (const daemon::ServicePreview& service : preview.services) {
    text += report::wrapped("  ", fmt::format("{}: {}", service.name, version_text(service)));
    text += report::wrapped("    ", instances_text(service));
    if (!service.address.empty()) text += report::wrapped("    ", service.address);
  }
  for (const std::string& name : preview.ends)
    text += report::wrapped("  ", fmt::format("{}: ends, the file no longer has it", name));
  text +=
      report::wrapped("promised: ", fmt::format("{} of {} cores", report::short_text(preview.promised_cores),
                                                report::short_text(preview.machine_cores)));
  for (const std::string& warning : preview.warnings) text += report::wrapped("note: ", warning);
  return text + (differs(preview) ? "\nNothing was changed; `headroom up` does it.\n"
                                  : "\nNo version and no number of instances differs from what runs.\n");
}

}  // namespace headroom::cli
