"""The two servers under the services: PostgreSQL and Kafka, started here or given."""

from deploy.local.children import Guardian
from deploy.local.config import StackConfig
from deploy.local.errors import StackError
from deploy.local.kafka import KafkaBroker
from deploy.local.kafka_jars import kafka_class_path
from deploy.local.postgres import PostgresServer
from deploy.local.progress import Reporter
from deploy.local.stack_secrets import StackSecrets
from deploy.local.supervision import Supervised, Supervisor


class Servers:
    """PostgreSQL and Kafka of one stack. Not thread-safe."""

    def __init__(self, config: StackConfig, secrets: StackSecrets, guardian: Guardian, reporter: Reporter) -> None:
        self._config = config
        self._reporter = reporter
        self._postgres: PostgresServer | None = None
        self._kafka: KafkaBroker | None = None
        if config.database_url is None:
            self._postgres = PostgresServer(
                data_dir=config.state_dir / "postgres",
                log=config.log_dir / "postgres.log",
                port=config.ports.postgres,
                password=secrets.admin_password,
                guardian=guardian,
                settings=config.postgres_settings,
            )
        if config.kafka_bootstrap_servers is None:
            self._kafka = KafkaBroker(
                data_dir=config.state_dir / "kafka",
                log=config.log_dir / "kafka.log",
                port=config.ports.kafka,
                controller_port=config.ports.kafka_controller,
                class_path=kafka_class_path(config.cache_dir, reporter),
                guardian=guardian,
            )

    @property
    def admin_url(self) -> str:
        """The administrator's URL, started here or given."""
        return self._postgres.admin_url if self._postgres is not None else self._config.database_url or ""

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's address, started here or given."""
        return self._kafka.bootstrap_servers if self._kafka is not None else self._config.kafka_bootstrap_servers or ""

    @property
    def postgres(self) -> PostgresServer:
        """The server that this stack started; a ``StackError`` where it was given one."""
        if self._postgres is None:
            raise StackError("This stack uses a PostgreSQL that it was given: it does not stop or start it.")
        return self._postgres

    @property
    def kafka(self) -> KafkaBroker:
        """The broker that this stack started; a ``StackError`` where it was given one."""
        if self._kafka is None:
            raise StackError("This stack uses a Kafka that it was given: it does not stop or start it.")
        return self._kafka

    def wanted_ports(self) -> dict[str, int]:
        """What must be free before the start, by purpose."""
        ports = self._config.ports
        postgres = {"PostgreSQL": ports.postgres} if self._postgres is not None else {}
        kafka = {"Kafka": ports.kafka, "Kafka's controller": ports.kafka_controller} if self._kafka is not None else {}
        return postgres | kafka

    def start(self) -> None:
        """Both. Returns when both answer."""
        if self._kafka is not None:
            self._reporter.say("Kafka starts …")
            self._kafka.launch()  # it takes longer than PostgreSQL, which starts meanwhile
        if self._postgres is not None:
            self._reporter.say("PostgreSQL starts …")
            self._postgres.start()
        if self._kafka is not None:
            self._kafka.await_ready()

    def watch_all(self, supervisor: Supervisor) -> None:
        """Keep both running from now on; what was given is left alone."""
        if self._postgres is not None:
            self.watch_postgres(supervisor)
        if self._kafka is not None:
            self.watch_kafka(supervisor)

    def watch_postgres(self, supervisor: Supervisor) -> None:
        """Keep the database running from now on."""
        supervisor.watch(Supervised("postgres", self.postgres.child, self.postgres.start))

    def watch_kafka(self, supervisor: Supervisor) -> None:
        """Keep the broker running from now on."""
        supervisor.watch(Supervised("kafka", self.kafka.child, self.kafka.start))

    def stop(self) -> None:
        """Both, Kafka first; what was given is left alone."""
        if self._kafka is not None:
            self._kafka.stop()
        if self._postgres is not None:
            self._postgres.stop()

    def kill(self) -> None:
        """Both by SIGKILL: for servers whose data nobody will read again."""
        if self._kafka is not None:
            self._kafka.kill()
        if self._postgres is not None:
            self._postgres.kill()
