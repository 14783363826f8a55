"""One rule of the API that depends on the path and on a header at once: OpenAPI cannot say it.

A payment that exists may have an id of version 8: POST makes those. A new one that PUT creates may not.
"""

import schemathesis


@schemathesis.hook
def filter_case(context, case):
    identifier = str((case.path_parameters or {}).get("id", ""))
    return not (case.method.upper() == "PUT" and identifier[14:15] == "8")
