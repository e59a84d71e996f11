#include "cli/preview_text.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace headroom::cli {
namespace {

daemon::Preview shop() {
  daemon::ServicePreview web;
  web.name = "web";
  web.version = "v2";
  web.replaces = "v1";
  web.builds = true;
  web.instances = 3;
  web.instances_before = 2;
  web.zones = {{"a", 2}, {"b", 1}};
  web.address = "http://127.0.0.1:8080";
  web.cores = 0.2;
  web.memory_bytes = std::int64_t{96} << 20;
  daemon::Preview preview;
  preview.environment = "shop";
  preview.file = "/srv/shop/headroom.yaml";
  preview.runs = true;
  preview.services = {web};
  preview.ends = {"old"};
  preview.promised_cores = 0.6;
  preview.machine_cores = 2;
  preview.warnings = {"id_rsa looks like a key"};
  return preview;
}

TEST(PreviewText, SaysWhatWouldBeDone) {
  EXPECT_EQ(preview_text(shop()),
            "shop /srv/shop/headroom.yaml (runs)\n"
            "  web: version v2 replaces v1; it is built\n"
            "    3 instances instead of 2: 2 in zone a, 1 in zone b; each with 0.2 of a core\n"
            "    and 96 MiB\n"
            "    http://127.0.0.1:8080\n"
            "  old: ends, the file no longer has it\n"
            "promised: 0.6 of 2 cores\n"
            "note: id_rsa looks like a key\n"
            "\nNothing was changed; `headroom up` does it.\n");
}

TEST(PreviewText, SaysThatNothingDiffers) {
  daemon::Preview same = shop();
  same.ends.clear();
  same.services[0].version = "v1";
  same.services[0].instances = 2;
  const std::string text = preview_text(same);
  EXPECT_NE(text.find("version v1 stays"), std::string::npos) << text;
  EXPECT_NE(text.find("No version and no number of instances differs"), std::string::npos) << text;
}

TEST(PreviewText, FitsATerminalOf80Columns) {
  daemon::Preview wide = shop();
  wide.environment = std::string(28, 'e');
  wide.file = "/" + std::string(300, 'f');
  std::istringstream lines(preview_text(wide));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
}

}  // namespace
}  // namespace headroom::cli
