"""The tables of a record in SQLite, version by version."""

from __future__ import annotations

# Each text holds the statements that lead to the next version of the file. A released one never changes.
MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        fingerprint TEXT NOT NULL,
        account TEXT NOT NULL,
        model_id TEXT NOT NULL,
        variant TEXT NOT NULL,
        state TEXT NOT NULL,
        owner TEXT NOT NULL,
        request_id TEXT,
        created_at REAL NOT NULL,
        submitted_at REAL,
        ended_at REAL,
        duration REAL,
        estimate REAL,
        cost REAL,
        files TEXT NOT NULL DEFAULT '[]',
        outcome TEXT NOT NULL DEFAULT ''
    );
    CREATE UNIQUE INDEX live ON jobs (fingerprint)
        WHERE state IN ('preparing', 'submitting', 'lost', 'submitted', 'delivered');
    CREATE INDEX by_request ON jobs (request_id) WHERE request_id IS NOT NULL;
    CREATE INDEX by_time ON jobs (created_at);
    CREATE INDEX by_variant ON jobs (model_id, variant, id) WHERE duration IS NOT NULL;
    """,
    # From 0.2 on, variant and outcome are what earlier versions wrote: a text for size and count, and a sentence.
    """
    ALTER TABLE jobs ADD COLUMN size TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN count INTEGER;
    ALTER TABLE jobs ADD COLUMN note TEXT;
    UPDATE jobs SET size = substr(variant, 12, instr(variant || ' ', ' ') - 12) WHERE variant LIKE 'resolution=%';
    UPDATE jobs SET count = CAST(substr(variant, instr(variant, 'num_images=') + 11) AS INTEGER)
        WHERE variant LIKE '%num_images=%';
    DROP INDEX by_variant;
    CREATE INDEX by_pace ON jobs (model_id, size, count, id) WHERE duration IS NOT NULL;
    """,
    # Until then a fingerprint was that of an account and its inputs: those accounts are kept to find such rows.
    """
    CREATE TABLE former_accounts AS SELECT DISTINCT account FROM jobs;
    ALTER TABLE jobs ADD COLUMN name TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN has_result INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN retry_allowed INTEGER NOT NULL DEFAULT 0;
    UPDATE jobs SET name = substr(fingerprint, 1, 16) || '-' || id;
    UPDATE jobs SET has_result = 1 WHERE state = 'delivered' OR files <> '[]';
    DROP INDEX live;
    CREATE UNIQUE INDEX live ON jobs (fingerprint, account)
        WHERE state IN ('preparing', 'submitting', 'lost', 'submitted', 'delivered');
    CREATE INDEX by_fingerprint ON jobs (fingerprint, id);
    CREATE INDEX by_cost ON jobs (model_id, size, count, id) WHERE cost IS NOT NULL;
    CREATE INDEX by_cost_of_an_image ON jobs (model_id, size, id) WHERE cost IS NOT NULL;
    """,
    """
    CREATE TABLE waiters (id INTEGER PRIMARY KEY AUTOINCREMENT, job_id INTEGER NOT NULL, owner TEXT NOT NULL);
    """,
    # The inputs stand apart from the jobs: claims read none of them, and they are erased by themselves.
    """
    ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN node_id TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN take TEXT NOT NULL DEFAULT '';
    CREATE TABLE inputs (
        job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
        prompt TEXT NOT NULL,
        folded TEXT NOT NULL,
        seed TEXT,
        scalars TEXT NOT NULL,
        media TEXT NOT NULL
    );
    CREATE TABLE forgotten (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        created_at REAL NOT NULL,
        model_id TEXT NOT NULL,
        usd REAL NOT NULL
    );
    CREATE INDEX forgotten_by_time ON forgotten (created_at);
    CREATE INDEX by_model ON jobs (model_id, id) WHERE state <> 'preparing';
    CREATE INDEX in_need ON jobs (id) WHERE state IN ('submitting', 'lost', 'submitted', 'unknown')
        OR (state IN ('failed', 'expired') AND retry_allowed = 0 AND COALESCE(cost, has_result) > 0);
    CREATE INDEX by_take ON jobs (take, id) WHERE take <> '';
    CREATE INDEX by_waited_for ON waiters (job_id);
    """,
    # Where a host shows a job: a server that was killed tells it when it starts again.
    """
    CREATE TABLE places (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workflow TEXT NOT NULL,
        node TEXT NOT NULL,
        node_type TEXT NOT NULL,
        request_id TEXT NOT NULL,
        UNIQUE (workflow, node)
    );
    """,
    # Whose a job is: a user and the computer of the host, and a project.
    """
    ALTER TABLE jobs ADD COLUMN user_name TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN host_name TEXT NOT NULL DEFAULT '';
    ALTER TABLE jobs ADD COLUMN project TEXT NOT NULL DEFAULT '';
    ALTER TABLE forgotten ADD COLUMN user_name TEXT NOT NULL DEFAULT '';
    ALTER TABLE forgotten ADD COLUMN host_name TEXT NOT NULL DEFAULT '';
    ALTER TABLE forgotten ADD COLUMN project TEXT NOT NULL DEFAULT '';
    """,
    # A node that runs a list shows several jobs: those of one prompt of the host.
    """
    ALTER TABLE places RENAME TO former_places;
    CREATE TABLE places (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workflow TEXT NOT NULL,
        node TEXT NOT NULL,
        node_type TEXT NOT NULL,
        prompt_id TEXT NOT NULL DEFAULT '',
        items INTEGER NOT NULL DEFAULT 1,
        request_id TEXT NOT NULL,
        UNIQUE (workflow, node, request_id)
    );
    INSERT INTO places (workflow, node, node_type, request_id)
        SELECT workflow, node, node_type, request_id FROM former_places;
    DROP TABLE former_places;
    """,
)
