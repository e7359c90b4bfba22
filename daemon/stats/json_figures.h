// Figures as members of a JSON object. Included where JSON is made (snapshot_json.cpp, stats_log.cpp).
#pragma once

#include "daemon/stats/figures.h"

#include <string>

#include <nlohmann/json.hpp>

namespace ftpsensor {

using Json = nlohmann::ordered_json;

template <class Row>
void add_figures(Json& object, std::span<const Figure<Row>> figures, const Row& row) {
    for_each_figure(figures, row, [&](const auto& figure, auto value) { object[std::string(figure.name)] = value; });
}

// One line; bytes that are no UTF-8 (of a name in the config) are replaced.
inline std::string one_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

} // namespace ftpsensor
