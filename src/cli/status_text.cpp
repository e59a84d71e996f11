#include "cli/status_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <ostream>

#include "cli/events_text.hpp"
#include "cli/terminal.hpp"
#include "report/layout.hpp"
#include "report/words.hpp"

namespace headroom::cli {
namespace {

using report::Colours;
using report::cut;
using report::left;
using report::right;
using report::visible;

constexpr std::string_view kGreen = "32";
constexpr std::string_view kYellow = "33";
constexpr std::string_view kRed = "31";

std::string coloured(const std::string& text, std::string_view colour, Colours colours) {
  return colours == Colours::none ? text : fmt::format("\x1b[{}m{}\x1b[0m", colour, text);
}

// Of exactly so many columns, whatever it holds.
std::string cell(std::string_view text, int width) { return left(cut(visible(text), width), width); }

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

// In so many columns at most, however large it is.
constexpr int kNumber = 8;

std::string number_text(const std::optional<double>& value, std::string_view unit) {
  if (!value) return "-";
  const std::string text = report::short_text(*value) + std::string(unit);
  return report::columns_of(text) <= kNumber ? text : fmt::format("{:.0e}{}", *value, unit);
}

std::string rate_text(const std::optional<double>& per_second) { return number_text(per_second, ""); }
std::string latency_text(const std::optional<double>& ms) { return number_text(ms, " ms"); }

std::string memory_text(std::int64_t bytes) {
  constexpr double kMiB = 1 << 20;
  return fmt::format("{:.0f} MiB", static_cast<double>(bytes) / kMiB);
}

std::string trimmed(std::string line) {
  line.resize(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

// 2 + 14 + 1 + 7 + 1 + 9 + 1 + 27 + 1 + 8 + 1 + 8 columns.
std::string service_line(std::string_view name, std::string_view version, std::string_view serving,
                         std::string_view address, std::string_view rate, std::string_view latency) {
  return trimmed(fmt::format("  {} {} {} {} {} {}", cell(name, 14), cell(version, 7), cell(serving, 9),
                             cell(address, 27), right(rate, 8), right(latency, 8)));
}

std::string override_text(const daemon::OverrideStatus& override) {
  std::string text =
      override.instances ? fmt::format("by hand: {} instances", *override.instances) : "paused";
  return text + (override.until
                     ? " until " + report::utc_text(std::chrono::floor<std::chrono::seconds>(*override.until))
                     : std::string(", until `headroom resume`"));
}

std::string service_text(const daemon::ServiceStatus& service, base::Milliseconds now, Colours colours) {
  std::string text = service_line(
      service.name, or_dash(service.version), fmt::format("{} of {}", service.in_service, service.desired),
      or_dash(service.address), rate_text(service.requests_per_second), latency_text(service.p95_ms));
  const bool loses = service.failed_per_second && *service.failed_per_second > 0;
  if (loses) {
    text += coloured(report::wrapped("    ", fmt::format("{} requests a second fail",
                                                         rate_text(service.failed_per_second))),
                     kRed, colours);
  }
  if (service.override)
    text += coloured(report::wrapped("    ", override_text(*service.override)), kYellow, colours);
  for (const daemon::DecisionStatus& decision : service.decisions) {
    std::string line = decision_text(decision);
    if (decision.next) {
      const base::Milliseconds left = std::max(base::Milliseconds(0), *decision.next - now);
      line += "; next in " + report::duration_text(std::chrono::duration_cast<base::Milliseconds>(
                                 std::chrono::ceil<std::chrono::seconds>(left)));
    }
    text += report::wrapped("    ", report::visible(line));
  }
  if (!service.doing.empty()) text += coloured(report::wrapped("    ", service.doing), kYellow, colours);
  return text;
}

std::string_view colour_of(std::string_view state) {
  if (state == "in service") return kGreen;
  return state == "failed" ? kRed : kYellow;
}

std::string instance_text(const daemon::InstanceStatus& instance, base::Milliseconds now, Colours colours) {
  const std::string cpu =
      instance.cpu_percent ? fmt::format("{:.0f} %", *instance.cpu_percent) : std::string("-");
  const bool ended = instance.state == "failed" || instance.state == "stopped";
  const base::Milliseconds age = std::max(base::Milliseconds(0), now - instance.since);
  // Whole seconds: nobody looks for the rest.
  const std::string since = report::duration_text(
      std::chrono::duration_cast<base::Milliseconds>(std::chrono::floor<std::chrono::seconds>(age)));
  std::string note = instance.state == "failed" ? instance.why : instance.health;
  if (instance.failed_checks > 0 && !ended)
    note += fmt::format("{}{} failed", note.empty() ? "" : ", ", instance.failed_checks);
  if (!instance.drill.empty()) note += fmt::format("{}drill: {}", note.empty() ? "" : ", ", instance.drill);
  // 4 + 14 + 1 + 6 + 1 + 10 + 1 + 12 + 1 + 6 + 1 + 8 + 2 columns; the note has the last 13, or lines of its
  // own.
  std::string line =
      fmt::format("    {} {} {} {} {} {}", cell(instance.id, 14), cell(instance.version, 6),
                  coloured(cell(instance.state, 10), colour_of(instance.state), colours), cell(since, 12),
                  right(ended ? "" : cpu, 6), right(ended ? "" : memory_text(instance.memory_bytes), 8));
  constexpr int kNote = 13;
  const std::string shown = visible(note);
  if (report::columns_of(shown) <= kNote) return trimmed(line + "  " + shown);
  return trimmed(line) + report::wrapped("      ", shown);
}

std::string environment_text(const daemon::EnvironmentStatus& environment, base::Milliseconds now,
                             Colours colours) {
  std::string text = report::wrapped(
      "", fmt::format("{}  {}{}", environment.name, environment.file,
                      environment.variant.empty() ? "" : fmt::format(" (-e {})", environment.variant)));
  if (!environment.fault.empty())
    text += coloured(report::wrapped("  does not run: ", environment.fault), kRed, colours);
  for (const std::string& hindrance : environment.hindrances)
    text += coloured(report::wrapped("  hindered: ", hindrance), kRed, colours);
  if (!environment.services.empty()) {
    text += "\n" + service_line("service", "version", "serving", "address", "rps", "p95");
    for (const auto& service : environment.services) text += service_text(service, now, colours);
  }
  if (environment.instances.empty()) return text;
  // Zones of the file first; one that the file has no more still has instances until they are gone.
  std::vector<daemon::ZoneStatus> zones = environment.zones;
  for (const auto& instance : environment.instances) {
    const bool known = std::any_of(zones.begin(), zones.end(), [&](const daemon::ZoneStatus& zone) {
      return zone.name == instance.zone;
    });
    if (!known) zones.push_back({instance.zone, false});
  }
  text += "\n";
  for (const auto& zone : zones) {
    text += zone.cut ? coloured(fmt::format("  zone {} (cut off by a drill)", cut(visible(zone.name), 50)),
                                kRed, colours) +
                           "\n"
                     : fmt::format("  zone {}\n", cut(visible(zone.name), 70));
    for (const auto& instance : environment.instances)
      if (instance.zone == zone.name) text += instance_text(instance, now, colours);
  }
  return text;
}

}  // namespace

std::string status_text(const daemon::Status& status, base::Milliseconds now, Colours colours) {
  std::string text;
  for (const auto& environment : status.environments)
    text += environment_text(environment, now, colours) + "\n";
  if (status.environments.empty())
    text += "No environment runs. `headroom up` starts that of a headroom.yaml.\n\n";
  text += report::wrapped("isolation: ", fmt::format("{}; {} of {} cores promised", status.tier,
                                                     report::short_text(status.promised_cores),
                                                     report::short_text(status.machine_cores)));
  for (const std::string& lost : status.lost) text += report::wrapped("  lost: ", lost);
  return text;
}

std::string addresses_text(const daemon::EnvironmentStatus& environment) {
  std::string text;
  for (const auto& service : environment.services)
    if (!service.address.empty())
      text += fmt::format("{}: {}\n", visible(service.name), visible(service.address));
  return text;
}

void show_status(const daemon::Status& status, Context& context) {
  const auto now =
      std::chrono::duration_cast<base::Milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  context.out << status_text(status, now, takes_colours(context.out) ? Colours::some : Colours::none);
}

}  // namespace headroom::cli
