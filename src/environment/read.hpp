// Reading headroom.yaml and traffic files: text in, types out, with every fault at its place.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "environment/environment.hpp"

namespace headroom::environment {

// Gives the text of a file. The path is the one written in the referring file, with that file's folder
// before it ("examples/shop/demand.csv"); an error without a place is reported where the file is named.
using ReadFile = std::function<base::Result<std::string>(const std::string& path)>;

struct Loaded {
  Environment environment;
  std::map<std::string, base::Place> places;  // of every value written, by path
  std::string file;
  std::vector<std::string> variants;  // the names under `environments`, in file order

  // Where the field at this path is written ("services.web.scale.min"); where it is not, the nearest
  // map or list around it.
  base::Place place_of(std::string_view path) const;
};

// The same error, with the place of the field for each fault that knows its field's path but no place.
base::Error located(const Loaded& loaded, base::Error error);

// `variant` is the NAME of -e: what stands under environments.NAME is laid over the file (maps are merged,
// all else is replaced, an empty value restores the default). The other variants are checked as well, but
// for the files that only they name.
base::Result<Loaded> read(const std::string& text, const std::string& file, const ReadFile& read_file,
                          const std::string& variant = {});

// A traffic file: YAML, or by its extension a CSV.
base::Result<workload::Traffic> read_traffic(const std::string& text, const std::string& file,
                                             const ReadFile& read_file);

}  // namespace headroom::environment
