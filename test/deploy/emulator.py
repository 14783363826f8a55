"""Starts MiniStack, and fills a gap of it that this test looks at.

Its CloudFormation makes a table without the TTL and the point-in-time recovery that the template asks for; its DynamoDB
knows both. Here the one hands what the template says to the other.
"""

from ministack.app import main
from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

TABLE = "AWS::DynamoDB::GlobalTable"
handlers = next(
    value for value in vars(provisioners).values() if isinstance(value, dict) and TABLE in value
)
create = handlers[TABLE]["create"]


def create_with_settings(logical_id, props, stack_name):
    name, attributes = create(logical_id, props, stack_name)
    time_to_live = props.get("TimeToLiveSpecification")
    if time_to_live:
        dynamodb._update_ttl(
            {"TableName": name, "TimeToLiveSpecification": time_to_live}
        )
    for replica in props.get("Replicas", []):
        recovery = replica.get("PointInTimeRecoverySpecification")
        if recovery:
            dynamodb._update_continuous_backups(
                {"TableName": name, "PointInTimeRecoverySpecification": recovery}
            )
    return name, attributes


handlers[TABLE]["create"] = create_with_settings
main()
