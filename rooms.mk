# The house: which room sees which. This list is the only place that says it: the Makefile makes each room's -I from it,
# tests/lint/rooms.sh holds the linked symbols to it, docs/rooms.sh prints it into docs/architecture.md.
#
# SEES_<room> := the rooms whose headers it may include and whose functions it may call, beside its own. Nothing is
# inherited: a room that is not named cannot be reached. Rooms stand in an order in which each sees only those above it.
# `include` is the public API, `llhttp` the parser's headers.

SEES_src/base                 :=
SEES_src/aws                  := src/base

SEES_src/watch                := src/base

SEES_src/pipeline/rows        := src/base
SEES_src/pipeline/post        := src/base src/pipeline/rows
SEES_src/pipeline/read        := src/base src/pipeline/rows
SEES_src/pipeline/lake        := src/base src/aws
SEES_src/pipeline/verify      := src/base src/pipeline/rows src/pipeline/post src/pipeline/read src/pipeline/lake
SEES_src/pipeline/public      := include src/base src/pipeline/rows src/pipeline/post src/pipeline/read src/pipeline/lake src/pipeline/verify

SEES_mock_server/host         :=
SEES_mock_server/store        := src/base
SEES_mock_server/net          := src/base mock_server/store
SEES_mock_server/http         := src/base mock_server/net llhttp
SEES_mock_server/aws          := src/base src/aws mock_server/http
SEES_mock_server/topics       := src/base mock_server/store
SEES_mock_server/gateway      := include src/base mock_server/net mock_server/http mock_server/host
SEES_mock_server/kafka_rest   := include src/base mock_server/net mock_server/http mock_server/topics mock_server/host
SEES_mock_server/sink         := src/base mock_server/store mock_server/topics
SEES_mock_server/connect      := src/base mock_server/net mock_server/store mock_server/topics mock_server/sink
SEES_mock_server/connect_rest := include src/base mock_server/net mock_server/http mock_server/connect mock_server/host
SEES_mock_server/msk_connect  := include src/base src/aws mock_server/net mock_server/http mock_server/aws mock_server/store mock_server/connect mock_server/host
SEES_mock_server/mysql_db     := src/base src/pipeline/rows
SEES_mock_server/s3           := src/base src/aws mock_server/net mock_server/http mock_server/aws mock_server/store mock_server/host
SEES_mock_server/mysql        := include src/base mock_server/net mock_server/host mock_server/mysql_db
SEES_mock_server              := include src/base mock_server/host mock_server/store mock_server/net mock_server/http mock_server/aws mock_server/topics mock_server/gateway \
                                 mock_server/kafka_rest mock_server/connect mock_server/connect_rest mock_server/msk_connect mock_server/s3 mock_server/mysql

SEES_src/cli                  := include src/base src/watch src/pipeline/rows src/pipeline/post src/pipeline/read src/pipeline/lake src/pipeline/verify
