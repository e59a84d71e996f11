#include "capacity/model.hpp"
