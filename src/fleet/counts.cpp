#include "fleet/counts-inl.hpp"
