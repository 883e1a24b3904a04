{# Follows `next` from each node to the end of its chain. Self-links and links to nothing must be null already.
   In a cycle the link of the smallest node is cut, so that each chain ends. Columns: node, root, chain_depth,
   is_cut. Chains of more than 64 links end there. #}
{% macro resolved_chains(relation) -%}
    with recursive links as (
        select
            node,
            next_node
        from {{ relation }}
    ),

    reached as (
        select
            links.node,
            links.next_node as ancestor,
            concat('|', cast(links.next_node as string), '|') as path,
            1 as depth
        from links
        where links.next_node is not null
        union all
        select
            reached.node,
            links.next_node as ancestor,
            concat(reached.path, cast(links.next_node as string), '|') as path,
            reached.depth + 1 as depth
        from reached
        inner join links on reached.ancestor = links.node
        where
            links.next_node is not null
            and reached.ancestor <> reached.node
            -- what leads into a cycle goes around it once: each round is a job of its own on Spark
            and position(concat('|', cast(links.next_node as string), '|') in reached.path) = 0
            and reached.depth < 64
    ),

    cycles as (
        select
            reached.node,
            min(reached.ancestor) as smallest
        from reached
        group by reached.node
        having max(case when reached.ancestor = reached.node then 1 else 0 end) = 1
    ),

    uncycled as (
        select
            links.node,
            case when cycles.node is null then links.next_node end as next_node,
            coalesce(cycles.node is not null, false) as is_cut
        from links
        left join cycles on links.node = cycles.node and links.node = cycles.smallest
    ),

    walked as (
        select
            uncycled.node,
            uncycled.node as ancestor,
            uncycled.next_node,
            0 as depth
        from uncycled
        union all
        select
            walked.node,
            uncycled.node as ancestor,
            uncycled.next_node,
            walked.depth + 1 as depth
        from walked
        inner join uncycled on walked.next_node = uncycled.node
        where walked.depth < 64
    ),

    resolved as (
        select
            walked.node,
            max_by(walked.ancestor, walked.depth) as root,
            max(walked.depth) as chain_depth
        from walked
        group by walked.node
    )

    select
        resolved.node,
        resolved.root,
        resolved.chain_depth,
        uncycled.next_node,
        uncycled.is_cut
    from resolved
    inner join uncycled on resolved.node = uncycled.node
{%- endmacro %}
