#include "cli/choose_environment.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "store/temporary_folder.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;

daemon::EnvironmentStatus named(const std::string& name, const fs::path& file) {
  daemon::EnvironmentStatus environment;
  environment.name = name;
  environment.file = file.string();
  return environment;
}

class ChooseEnvironment : public testing::Test {
 protected:
  ChooseEnvironment() {
    for (const char* name : {"shop", "blog"}) {
      fs::create_directory(folder_.path() / name);
      std::ofstream(folder_.path() / name / "headroom.yaml") << "name: x\n";
    }
    root_ = fs::canonical(folder_.path());
    status_.environments = {named("blog", root_ / "blog" / "headroom.yaml"),
                            named("shop", root_ / "shop" / "headroom.yaml")};
  }
  std::string chosen(const std::string& wanted, const fs::path& here) const {
    const auto environment = choose_environment(status_, wanted, here);
    return environment ? environment->name : base::to_string(environment.error());
  }

  store::TemporaryFolder folder_;
  fs::path root_;
  daemon::Status status_;
};

TEST_F(ChooseEnvironment, NameComesFirst) { EXPECT_EQ(chosen("blog", root_ / "shop"), "blog"); }

TEST_F(ChooseEnvironment, PathOfItsFileOrFolderMeansIt) {
  EXPECT_EQ(chosen((root_ / "shop").string(), root_), "shop");
  EXPECT_EQ(chosen((root_ / "shop" / ".." / "blog" / "headroom.yaml").string(), root_), "blog");
}

TEST_F(ChooseEnvironment, SymbolicLinkToAFolderMeansTheFolder) {
  fs::create_directory_symlink(root_ / "shop", root_ / "link");
  EXPECT_EQ(chosen("", root_ / "link"), "shop");
}

TEST_F(ChooseEnvironment, FileHereComesBeforeTheOthers) { EXPECT_EQ(chosen("", root_ / "shop"), "shop"); }

TEST_F(ChooseEnvironment, OnlyOneIsMeantFromAnywhere) {
  status_.environments.pop_back();
  EXPECT_EQ(chosen("", root_), "blog");
}

TEST_F(ChooseEnvironment, WithoutASignSeveralAreListed) {
  EXPECT_EQ(chosen("", root_), "several environments run\n  choose one by its name: blog, shop");
}

TEST_F(ChooseEnvironment, VariantsOfOneFileAreToldApartByName) {
  status_.environments.push_back(named("shop-prod", root_ / "shop" / "headroom.yaml"));
  EXPECT_EQ(chosen("", root_ / "shop"),
            "the headroom.yaml here runs as several environments\n  choose one by its name: shop, shop-prod");
  EXPECT_EQ(chosen("shop-prod", root_), "shop-prod");
}

TEST_F(ChooseEnvironment, UnknownNameListsThoseThereAre) {
  EXPECT_EQ(chosen("shoop", root_), "no environment \"shoop\" runs\n  there are blog, shop");
}

TEST_F(ChooseEnvironment, WhereNoneRunsItSaysHowToBegin) {
  status_.environments.clear();
  EXPECT_EQ(chosen("", root_), "no environment runs\n  `headroom up` starts that of a headroom.yaml");
}

TEST(ChooseService, OnlyOneNeedsNoName) {
  daemon::EnvironmentStatus shop = named("shop", "/srv/headroom.yaml");
  shop.services.resize(1);
  shop.services[0].name = "web";
  EXPECT_EQ(choose_service(shop, "")->name, "web");
  EXPECT_EQ(base::to_string(choose_service(shop, "db").error()),
            "shop has no service \"db\"\n  choose one of web");
  shop.services.emplace_back().name = "db";
  EXPECT_EQ(base::to_string(choose_service(shop, "").error()),
            "there are several services\n  name one of web, db");
  EXPECT_EQ(choose_service(shop, "db")->name, "db");
}

}  // namespace
}  // namespace headroom::cli
