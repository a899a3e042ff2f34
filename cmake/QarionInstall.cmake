# What `cmake --install` puts where. The tree may be moved as a whole afterwards.

include(CMakePackageConfigHelpers)

set(QARION_MODULE_DIR ${CMAKE_INSTALL_LIBDIR}/qarion-secrets)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/QarionSecrets)

# A header alone, for modules that link nothing of this library.
add_library(qarion_provider_abi INTERFACE)
target_include_directories(qarion_provider_abi INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

set_target_properties(qarion_secrets PROPERTIES EXPORT_NAME secrets)
set_target_properties(qarion_secrets_static PROPERTIES EXPORT_NAME secrets_static)
set_target_properties(qarion_provider_abi PROPERTIES EXPORT_NAME provider_abi)

install(TARGETS qarion_secrets qarion_secrets_static qarion_provider_abi
  EXPORT QarionSecretsTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS qsecrets RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_SOURCE_DIR}/docs/qsecrets.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/qarion
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# The directory of modules exists even where there are none yet. Nobody but its owner may write to
# it, whatever the umask: the loader refuses it otherwise.
install(DIRECTORY DESTINATION ${QARION_MODULE_DIR}
  DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                        WORLD_READ WORLD_EXECUTE)

install(EXPORT QarionSecretsTargets NAMESPACE Qarion:: DESTINATION ${package_dir})
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/QarionSecretsConfig.cmake.in
  ${PROJECT_BINARY_DIR}/generated/QarionSecretsConfig.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS QARION_MODULE_DIR)
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/generated/QarionSecretsConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/generated/QarionSecretsConfig.cmake
  ${PROJECT_BINARY_DIR}/generated/QarionSecretsConfigVersion.cmake
  DESTINATION ${package_dir})

file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/qarion-secrets.pc.in
  ${PROJECT_BINARY_DIR}/generated/qarion-secrets.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/generated/qarion-secrets.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
