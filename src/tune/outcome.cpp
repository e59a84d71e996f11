#include "tune/outcome.hpp"
