// Boost.JSON under another name.
//
// Boost.JSON is compiled into this library (json_text.cc). Under its own name it would collide with
// the copy of a program that links the static library and another Boost; so every name in it gets a
// prefix. User configuration is the one header that Boost includes by a name the prefix would
// change. Nor is any of it exported: what is not used goes when the library is linked.
#pragma once

#define BOOST_NO_USER_CONFIG
#define boost qarion_secrets_boost
#include <boost/config.hpp>
#undef BOOST_SYMBOL_EXPORT
#define BOOST_SYMBOL_EXPORT
#undef BOOST_SYMBOL_VISIBLE
#define BOOST_SYMBOL_VISIBLE
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parser.hpp>
#ifdef QARION_COMPILES_BOOST_JSON
#include <boost/json/src.hpp>
#endif
#undef boost

namespace qarion::secrets::core {
namespace json = qarion_secrets_boost::json;
}  // namespace qarion::secrets::core
