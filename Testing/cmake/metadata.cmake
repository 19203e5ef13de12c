# What the Extensions Index needs of an extension
foreach(name HOMEPAGE CONTRIBUTORS DESCRIPTION ICONURL SCREENSHOTURLS DEPENDS)
  if("${EXTENSION_${name}}" STREQUAL "")
    message(FATAL_ERROR "EXTENSION_${name} is empty")
  endif()
  message(STATUS "EXTENSION_${name}=${EXTENSION_${name}}")
endforeach()
