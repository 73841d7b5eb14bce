"""The pool's side: an HTTP server before replicas of makers, which Ray Serve runs. Only `replicas` imports ray."""
