# The Debian package (`make package`). What the program links comes from the
# linked libraries; what it starts is named here.
# What is packed is built already; without this, cpack builds every test first.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(CPACK_PACKAGE_NAME headroom)
set(CPACK_PACKAGE_VENDOR "Headroom contributors")
# The maintainer of a package is who builds it, named as Debian's own tools have it (DEBFULLNAME, DEBEMAIL). The field
# must hold an address (Debian Policy, 5.6.2); where nobody gives one, it is of a domain that can never exist (RFC 2606),
# so that it is nobody's.
set(maintainer "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
if(NOT maintainer MATCHES "^[^ ].* <.+@.+>$")
  set(maintainer "Headroom contributors <headroom@headroom.invalid>")
endif()
set(CPACK_PACKAGE_CONTACT "${maintainer}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "autoscaling that is rehearsed before it runs")
set(CPACK_PACKAGE_DESCRIPTION
    "Keeps a web service inside its limits at the lowest cost: measures what one
instance can take, rehearses traffic against scaling policies, and runs services
on this machine with the same decisions.")
set(CPACK_RESOURCE_FILE_LICENSE "${CMAKE_SOURCE_DIR}/LICENSE")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                                WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "haproxy (>= 2.6), iproute2")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${CMAKE_SOURCE_DIR}/packaging/postinst;${CMAKE_SOURCE_DIR}/packaging/prerm;${CMAKE_SOURCE_DIR}/packaging/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
