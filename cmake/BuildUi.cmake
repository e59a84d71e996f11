# Run by cmake/Ui.cmake at build time: fetches the packages where they are missing or older than the lock
# file, then builds. UI, OUT and NPM are given. Two build trees may come here at once: the lock lets one in.
file(LOCK "${UI}/.build.lock" GUARD PROCESS TIMEOUT 900)
if("${UI}/package-lock.json" IS_NEWER_THAN "${UI}/node_modules/.package-lock.json")
  execute_process(COMMAND "${NPM}" ci WORKING_DIRECTORY "${UI}" RESULT_VARIABLE failed OUTPUT_VARIABLE said
                  ERROR_VARIABLE said)
  if(failed)
    message(FATAL_ERROR "npm ci failed in ui/; the first build fetches packages and needs the network\n${said}")
  endif()
  file(TOUCH_NOCREATE "${UI}/node_modules/.package-lock.json")
endif()
set(ENV{HEADROOM_UI_OUT} "${OUT}")
execute_process(COMMAND "${NPM}" run build WORKING_DIRECTORY "${UI}" RESULT_VARIABLE failed OUTPUT_VARIABLE said
                ERROR_VARIABLE said)
if(failed)
  message(FATAL_ERROR "npm run build failed in ui/\n${said}")
endif()
