#include "cli/live_view.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <utility>
#include <variant>

#include "cli/terminal.hpp"
#include "report/layout.hpp"
#include "report/load_text.hpp"

namespace headroom::cli {
namespace {

constexpr base::Nanoseconds kBetweenDrawings{500'000'000};
constexpr base::Nanoseconds kBetweenLines{5'000'000'000};

// Wide enough that no line of the block is wrapped: only then it is known how many lines it takes.
bool is_wide_terminal() {
  if (isatty(STDERR_FILENO) == 0) return false;
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return false;
  return size.ws_col == 0 || size.ws_col >= report::kTextColumns;
}

std::optional<base::Nanoseconds> length_of(const load::Job& job) {
  if (const auto* profile = std::get_if<workload::Profile>(&job.shape))
    return profile->to() - profile->from();
  const auto& closed = std::get<workload::Closed>(job.shape);
  base::Milliseconds length{0};
  for (const workload::ClosedStage& stage : closed.stages) {
    if (!stage.duration) return std::nullopt;  // as long as the answers take
    length = closed.serial ? length + *stage.duration : std::max(length, *stage.duration);
  }
  return length;
}

}  // namespace

LiveView::LiveView(std::ostream& stream, const load::Job& job, std::string name, std::string url)
    : stream_(stream),
      job_(job),
      name_(std::move(name)),
      url_(std::move(url)),
      length_(length_of(job)),
      terminal_(&stream == &std::cerr && is_wide_terminal()),
      colours_(takes_colours(stream)) {
  if (!terminal_) next_ = kBetweenLines;
}

LiveView::~LiveView() { erase(); }

void LiveView::erase() {
  if (lines_ > 0) stream_ << fmt::format("\x1b[{}A\r\x1b[J", lines_) << std::flush;
  lines_ = 0;
}

void LiveView::show(const load::Progressed& progressed) {
  const report::LoadMoment moment{
      name_, url_, progressed.since_start, length_, std::max(1, job_.options.threads), progressed.seconds};
  if (terminal_) {
    // What the signal wrote stands below the block now.
    if (Interrupt::stop() && !std::exchange(stopping_, true)) lines_ = 0;
    if (progressed.since_start < next_ && progressed.since_start.count() >= 0) return;
    const std::string block =
        report::load_moment_block(moment, colours_ ? report::Colours::some : report::Colours::none);
    erase();
    stream_ << block << std::flush;
    lines_ = static_cast<int>(std::count(block.begin(), block.end(), '\n'));
    next_ = progressed.since_start + kBetweenDrawings;
    return;
  }
  if (progressed.since_start.count() < 0) {
    if (!std::exchange(waiting_said_, true))
      stream_ << report::load_moment_line(moment) << '\n' << std::flush;
    return;
  }
  if (progressed.since_start < next_) return;
  stream_ << report::load_moment_line(moment) << '\n' << std::flush;
  next_ += kBetweenLines;
}

}  // namespace headroom::cli
