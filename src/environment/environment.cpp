#include "environment/environment.hpp"
