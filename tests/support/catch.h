// Catch2 of either major version: Debian 12 ships 2.13, Debian 13 ships 3.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>

namespace Catch {
inline auto Contains(const std::string& text) { return Matchers::ContainsSubstring(text); } // as version 2 calls it
} // namespace Catch
#else
#include <catch2/catch.hpp>
#endif
