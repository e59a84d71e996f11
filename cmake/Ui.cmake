# embed_ui(bundle.cpp): builds ui/ with npm and writes its script and style as a C++ file.
#
# The packages of package-lock.json are fetched into ui/node_modules once; after that, building needs no
# network. Everything that is generated goes to the build tree.
find_program(HEADROOM_NODE NAMES node nodejs DOC "Node.js 18 or newer, which builds ui/")
find_program(HEADROOM_NPM npm DOC "npm, which fetches what ui/ is built with")
if(NOT HEADROOM_NODE OR NOT HEADROOM_NPM)
  message(FATAL_ERROR "Node.js and npm build the report page (ui/) and were not found.\n"
                      "  Install them: apt-get install nodejs npm")
endif()
execute_process(COMMAND "${HEADROOM_NODE}" --version OUTPUT_VARIABLE _node_version OUTPUT_STRIP_TRAILING_WHITESPACE)
string(REGEX REPLACE "^v" "" _node_version "${_node_version}")
if(_node_version VERSION_LESS 18)
  message(FATAL_ERROR "Node.js ${_node_version} is too old to build ui/ (18 or newer is needed).\n"
                      "  Debian 12 has 18: apt-get install nodejs npm")
endif()

function(embed_ui generated)
  set(ui "${CMAKE_SOURCE_DIR}/ui")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${ui}/src/*.ts" "${ui}/src/*.css")
  list(FILTER sources EXCLUDE REGEX "\\.test\\.ts$")
  get_filename_component(name "${generated}" NAME)
  add_custom_command(
    OUTPUT "${generated}"
    COMMAND "${CMAKE_COMMAND}" "-DUI=${ui}" "-DOUT=${CMAKE_CURRENT_BINARY_DIR}/ui" "-DNPM=${HEADROOM_NPM}" -P
            "${CMAKE_SOURCE_DIR}/cmake/BuildUi.cmake"
    COMMAND "${CMAKE_COMMAND}" -E copy "${CMAKE_CURRENT_BINARY_DIR}/ui/bundle.cpp" "${generated}"
    DEPENDS ${sources} "${ui}/package.json" "${ui}/package-lock.json" "${ui}/tsconfig.json" "${ui}/vite.config.ts"
            "${ui}/build/seal.mjs" "${CMAKE_SOURCE_DIR}/cmake/BuildUi.cmake"
    COMMENT "Building the report page (ui/)"
    VERBATIM)
endfunction()
